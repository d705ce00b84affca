//! Directories that are lent: two tenants share none.

use super::app::AppPlan;
use super::problem::Problems;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Looks for directories that apps of two tenants are lent, one within the other or
/// the same, unless both may only read.
pub(super) fn check(apps: &[AppPlan], problems: &mut Problems) {
    let mut lent: HashMap<PathBuf, Vec<(&AppPlan, bool)>> = HashMap::new();
    for app in apps {
        // One that is not there was told of.
        for (dir, path) in app.lent() {
            let here = lent.entry(path.to_owned()).or_default();
            here.push((app, dir.read_only));
        }
    }
    let mut paths: Vec<_> = lent.iter().collect();
    paths.sort_by_key(|(path, lent)| (lent.first().map(|(app, _)| app.line), path.to_owned()));
    for (path, here) in paths {
        for (app, read_only) in here {
            let others = path
                .ancestors()
                .filter_map(|above| Some((above, lent.get(above)?)));
            let clash = others
                .flat_map(|(above, others)| others.iter().map(move |other| (above, other)))
                .find(|(above, (other, other_read_only))| {
                    let is_later = *above != path.as_path() || other.line < app.line;
                    is_later && other.tenant != app.tenant && !(*read_only && *other_read_only)
                });
            if let Some((above, (other, _))) = clash {
                tell(app, path, other, above, problems);
            }
        }
    }
}

fn tell(app: &AppPlan, path: &Path, other: &AppPlan, above: &Path, problems: &mut Problems) {
    let within = if above == path { "is" } else { "is within" };
    let text = format!(
        "{} {within} what app `{}` of another tenant is lent (line {}); lend them different ones, or both read-only",
        path.display(),
        other.name,
        other.line
    );
    problems.error(Some(app.line_of("dir")), app.key("dir"), text);
}
