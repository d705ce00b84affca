//! Apps and their versions.

use super::records::{self, AppRecord, VersionRecord};
use super::{APPS, Digest, NEEDS, Size, Store, StoreError, Uploaded, VERSIONS};
use redb::{ReadableTable, WriteTransaction};
use std::time::SystemTime;

/// A version of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its number, from 1 on. None is given twice, unless the app is deleted between.
    pub number: u32,
    /// Its component.
    pub component: Digest,
    /// Octets of that.
    pub octets: u64,
    /// Its settings: the keys of `[apps.NAME]`, in TOML, but for the component.
    pub settings: String,
    /// When it was deployed.
    pub at: SystemTime,
}

impl Version {
    fn size(&self) -> Size {
        Size {
            component: self.component,
            octets: self.octets,
            settings: self.settings.len() as u64,
        }
    }
}

/// The version of an app that was chosen to be served.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// It.
    pub version: Version,
    /// Whether it is served.
    pub is_enabled: bool,
}

/// What is wrong with what there is of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damaged {
    /// In a line.
    pub why: String,
    /// Whether it is served once it is mended.
    pub is_enabled: bool,
}

/// An app, by its name.
pub type Listed = (String, Result<Chosen, Damaged>);

impl Store {
    /// All apps, in the order of their names.
    pub fn apps(&self) -> Result<Vec<Listed>, StoreError> {
        self.read(|read| {
            let (apps, versions) = (read.open_table(APPS)?, read.open_table(VERSIONS)?);
            let mut all = Vec::new();
            for entry in apps.iter()? {
                let (name, app) = entry?;
                let name = name.value();
                all.push((name.to_owned(), chosen(name, app.value(), &versions)?));
            }
            Ok(all)
        })
    }

    /// The app called `name`, if there is one.
    pub fn app(&self, name: &str) -> Result<Option<Chosen>, StoreError> {
        let found = self.read(|read| {
            let (apps, versions) = (read.open_table(APPS)?, read.open_table(VERSIONS)?);
            let Some(app) = apps.get(name)? else {
                return Ok(None);
            };
            chosen(name, app.value(), &versions).map(Some)
        })?;
        match found {
            None => Ok(None),
            Some(Ok(chosen)) => Ok(Some(chosen)),
            Some(Err(Damaged { why, .. })) => {
                Err(StoreError::Damaged(format!("app `{name}`: {why}")))
            }
        }
    }

    /// The versions of the app called `name` that can be read, the latest first.
    pub fn versions(&self, name: &str) -> Result<Vec<Version>, StoreError> {
        self.read(|read| {
            let versions = read.open_table(VERSIONS)?;
            let mut all = Vec::new();
            for entry in versions.range((name, 0)..=(name, u32::MAX))?.rev() {
                let (key, record) = entry?;
                all.extend(version(key.value().1, record.value()).ok());
            }
            Ok(all)
        })
    }

    /// How much is kept of each version of the app called `name`, the latest first.
    /// Nothing is read for it.
    pub fn sizes(&self, name: &str) -> Vec<Size> {
        self.sizes.of(name)
    }

    /// Finds out how much is kept.
    pub(super) fn read_sizes(&self) -> Result<(), StoreError> {
        self.read(|read| {
            for entry in read.open_table(VERSIONS)?.iter()? {
                let (key, record) = entry?;
                let (name, number) = key.value();
                if let Ok(version) = version(number, record.value()) {
                    self.sizes.add(name, number, version.size());
                }
            }
            Ok(())
        })
    }

    /// Keeps `component`, without anything that names it yet.
    pub fn put(&self, component: Uploaded) -> Result<(), StoreError> {
        let path = self.components.path(&component.digest);
        let put = self.components.put(component);
        put.map_err(|error| StoreError::Io { path, error })
    }

    /// Removes the component of this digest if nothing names it.
    pub fn discard(&self, digest: &Digest) {
        let found = self.read(|read| is_needed(&read.open_table(NEEDS)?, digest));
        if matches!(found, Ok(false)) {
            self.components.remove(digest);
        }
    }

    /// Writes down another version of the app called `name`, which is chosen, and
    /// returns it. Its component is kept already. The last `kept` versions stay.
    pub fn deploy(
        &self,
        name: &str,
        component: Digest,
        octets: u64,
        settings: &str,
        kept: usize,
    ) -> Result<Version, StoreError> {
        let at = records::now();
        let record = VersionRecord {
            component,
            octets,
            settings: settings.to_owned(),
            at,
        };
        let (number, gone) = self.change(|change| {
            let mut apps = change.open_table(APPS)?;
            let before = apps
                .get(name)?
                .map(|app| records::read::<AppRecord>(app.value()));
            let (last, is_enabled) = match before {
                Some(Ok(app)) => (app.last, app.is_enabled),
                // What is damaged begins anew, beyond what is still there of it.
                Some(Err(_)) | None => (highest(change, name)?, true),
            };
            let number = last + 1;
            let app = AppRecord {
                current: number,
                last: number,
                is_enabled,
            };
            apps.insert(name, &*records::written(&app))?;
            let mut versions = change.open_table(VERSIONS)?;
            versions.insert((name, number), &*records::written(&record))?;
            let mut needs = change.open_table(NEEDS)?;
            needs.insert((&component.0[..], name, number), ())?;
            drop((versions, needs));
            Ok((number, forget(change, name, kept.max(1))?))
        })?;
        let version = Version {
            number,
            component,
            octets,
            settings: settings.to_owned(),
            at: records::time(at),
        };
        self.sizes.add(name, number, version.size());
        self.are_gone(name, &gone);
        Ok(version)
    }

    /// Chooses the version `number` of the app called `name`.
    pub fn choose(&self, name: &str, number: u32) -> Result<(), StoreError> {
        self.update(name, |app| app.current = number)
    }

    /// Says whether the app called `name` is to be served.
    pub fn enable(&self, name: &str, is_enabled: bool) -> Result<(), StoreError> {
        self.update(name, |app| app.is_enabled = is_enabled)
    }

    /// Forgets the app called `name`, with all its versions.
    pub fn delete(&self, name: &str) -> Result<(), StoreError> {
        let gone = self.change(|change| {
            change.open_table(APPS)?.remove(name)?;
            forget(change, name, 0)
        })?;
        self.are_gone(name, &gone);
        Ok(())
    }

    /// Versions of the app called `name` are forgotten, with the components that nothing
    /// else needs.
    fn are_gone(&self, name: &str, versions: &[(u32, Digest)]) {
        for (number, component) in versions {
            self.sizes.remove(name, *number);
            self.discard(component);
        }
    }

    fn update(&self, name: &str, update: impl FnOnce(&mut AppRecord)) -> Result<(), StoreError> {
        let found = self.change(|change| {
            let mut apps = change.open_table(APPS)?;
            let app = apps
                .get(name)?
                .map(|app| records::read::<AppRecord>(app.value()));
            let Some(Ok(mut app)) = app else {
                return Ok(false);
            };
            update(&mut app);
            apps.insert(name, &*records::written(&app))?;
            Ok(true)
        })?;
        match found {
            true => Ok(()),
            false => Err(StoreError::Damaged(format!(
                "app `{name}`: there is no record of it that can be read; deploy it again"
            ))),
        }
    }
}

/// The version that was chosen of the app called `name`.
fn chosen(
    name: &str,
    app: &[u8],
    versions: &impl ReadableTable<(&'static str, u32), &'static [u8]>,
) -> Result<Result<Chosen, Damaged>, redb::Error> {
    let app: AppRecord = match records::read(app) {
        Ok(app) => app,
        // What is damaged begins anew.
        Err(why) => {
            return Ok(Err(Damaged {
                why,
                is_enabled: true,
            }));
        }
    };
    let is_enabled = app.is_enabled;
    let damaged = |why| Damaged { why, is_enabled };
    let Some(record) = versions.get((name, app.current))? else {
        let why = format!("its version {} is not there", app.current);
        return Ok(Err(damaged(why)));
    };
    let chosen = version(app.current, record.value()).map(|version| Chosen {
        version,
        is_enabled,
    });
    Ok(chosen.map_err(|why| damaged(format!("version {}: {why}", app.current))))
}

fn version(number: u32, record: &[u8]) -> Result<Version, String> {
    let record: VersionRecord = records::read(record)?;
    Ok(Version {
        number,
        component: record.component,
        octets: record.octets,
        settings: record.settings,
        at: records::time(record.at),
    })
}

/// The highest number of a version that there is, readable or not.
fn highest(change: &WriteTransaction, name: &str) -> Result<u32, redb::Error> {
    let versions = change.open_table(VERSIONS)?;
    let last = versions.range((name, 0)..=(name, u32::MAX))?.next_back();
    Ok(last.transpose()?.map_or(0, |(key, _)| key.value().1))
}

/// Forgets all versions of the app called `name` but for the last `kept`, and returns
/// those that could be read, with the components that they needed.
fn forget(
    change: &WriteTransaction,
    name: &str,
    kept: usize,
) -> Result<Vec<(u32, Digest)>, redb::Error> {
    let (mut versions, mut needs) = (change.open_table(VERSIONS)?, change.open_table(NEEDS)?);
    let mut numbers = Vec::new();
    for entry in versions
        .range((name, 0)..=(name, u32::MAX))?
        .rev()
        .skip(kept)
    {
        numbers.push(entry?.0.value().1);
    }
    let mut gone = Vec::new();
    for number in numbers {
        let record = versions.remove((name, number))?;
        let record = record.map(|record| version(number, record.value()));
        // What cannot be read names nothing, and its component stays.
        if let Some(Ok(version)) = record {
            needs.remove((&version.component.0[..], name, number))?;
            gone.push((number, version.component));
        }
    }
    Ok(gone)
}

/// Whether a version needs the component of this digest.
pub(super) fn is_needed(
    needs: &impl ReadableTable<(&'static [u8], &'static str, u32), ()>,
    digest: &Digest,
) -> Result<bool, redb::Error> {
    let octets = &digest.0[..];
    let mut found = needs.range((octets, "", 0)..)?;
    match found.next().transpose()? {
        Some((key, _)) => Ok(key.value().0 == octets),
        None => Ok(false),
    }
}
