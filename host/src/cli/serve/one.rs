//! One app: what the command line names, built if need be, and built again.

use super::super::flags::Serve;
use super::deploy::{Component, Deployer};
use super::error::Error;
use super::rebuild::{self, Rebuild};
use rhost::app::App;
use rhost::commons::Commons;
use rhost::development::Live;
use rhost::log::Sink;
use rhost::tenant::Site;
use rhost::watch::Watch;
use std::sync::Arc;

/// The app of a command line.
pub struct One {
    deployer: Deployer,
    /// What changes while the first build runs is to be noticed as well.
    watch: Option<Watch>,
    live: Live,
    /// How many requests it is to run at a time, if that was said.
    concurrency: Option<u32>,
    quiet: bool,
    built: Option<(Component, App)>,
    component: Option<Component>,
}

impl One {
    /// Checks what can be checked before anything is built. Its sandboxes have `commons`
    /// together.
    pub fn new(
        args: Serve,
        threads: usize,
        log: &Sink,
        commons: &Arc<Commons>,
    ) -> Result<Self, Error> {
        let (concurrency, quiet) = (args.app.limits.concurrency, args.quiet);
        let deployer = Deployer::new(args.app, args.dev, quiet, threads, log, commons.room())?;
        let watch = match args.watch {
            true => Some(deployer.watch()?),
            false => None,
        };
        Ok(One {
            deployer,
            watch,
            live: Live::default(),
            concurrency,
            quiet,
            built: None,
            component: None,
        })
    }

    /// Builds and loads it. Where it is watched and another change may mend it, that it
    /// does not build is told and no more, unless there is a process before, which may
    /// have one that does.
    pub fn start(&mut self, has_predecessor: bool) -> Result<(), Error> {
        match self.first() {
            Ok(built) => self.built = Some(built),
            Err(error)
                if self.watch.is_some() && !has_predecessor && rebuild::is_mendable(&error) =>
            {
                eprintln!("rhost: {error}");
                self.live.failed(&rebuild::said(&error));
            }
            Err(error) => return Err(error),
        }
        if let (Some(asked), Some((_, app))) = (self.concurrency, &self.built)
            && asked as usize > app.places()
        {
            eprintln!(
                "rhost: --concurrency {asked} is more than the sandboxes of this size that are kept; {} requests run at a time",
                app.places()
            );
        }
        Ok(())
    }

    fn first(&self) -> Result<(Component, App), Error> {
        let component = self.deployer.component()?;
        let app = self.deployer.app(&component, None)?;
        Ok((component, app))
    }

    /// The site with the app on it.
    pub fn site(&mut self, site: Site) -> Site {
        if let Some((component, app)) = self.built.take() {
            site.replace(app);
            self.component = Some(component);
        }
        match self.watch.is_some() && self.deployer.dev() {
            true => site.reloading(self.live.clone()),
            false => site,
        }
    }

    /// What it is, and how big.
    pub fn size(&self) -> String {
        self.component.as_ref().map_or_else(
            || "nothing yet".to_owned(),
            |component| format!("{} ({})", component.name(), component.size()),
        )
    }

    /// Follows changes from here on, if it is watched; returns who tells browsers of
    /// them.
    pub fn follow(self, site: &Arc<Site>) -> Live {
        let One {
            deployer,
            watch,
            live,
            quiet,
            component,
            ..
        } = self;
        if let Some(watch) = watch {
            let (site, live) = (site.clone(), live.clone());
            let rebuild = Rebuild {
                deployer,
                site,
                live,
                quiet,
            };
            std::thread::spawn(move || rebuild.run(watch, component));
        }
        live
    }
}
