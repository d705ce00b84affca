//! Which names decide what a path stands for.
//!
//! Files are put in the place of others not only by their own name: a link to a directory
//! is made to lead to another (`..data` of Kubernetes), a directory on the way takes the
//! name of one before. Each name on the way counts, and each that a link leads by.

use std::collections::{BTreeSet, VecDeque};
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

/// Links that are followed on one path, as the kernel does.
const LINKS: usize = 40;

/// The names that decide what `path` stands for now, each in a directory that is none.
pub fn deciding(path: &Path) -> BTreeSet<PathBuf> {
    let mut names = BTreeSet::new();
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut at = PathBuf::new();
    let mut steps = steps(&path);
    let mut links = 0;
    while let Some(step) = steps.pop_front() {
        match step {
            Step::Root => at = PathBuf::from("/"),
            Step::Up => {
                at.pop();
            }
            Step::Down(name) => {
                let next = at.join(name);
                names.insert(next.clone());
                match std::fs::read_link(&next) {
                    Ok(target) if links < LINKS => {
                        links += 1;
                        for step in self::steps(&target).into_iter().rev() {
                            steps.push_front(step);
                        }
                    }
                    // No link, or nothing that is there.
                    _ => at = next,
                }
            }
        }
    }
    names
}

enum Step {
    Root,
    Up,
    Down(OsString),
}

fn steps(path: &Path) -> VecDeque<Step> {
    let step = |component: Component<'_>| match component {
        Component::Prefix(_) | Component::CurDir => None,
        Component::RootDir => Some(Step::Root),
        Component::ParentDir => Some(Step::Up),
        Component::Normal(name) => Some(Step::Down(name.to_owned())),
    };
    path.components().filter_map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn every_link_on_the_way_counts() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        let below = |name: &str| home.join(name);
        for dir in ["real", "real/v1", "links"] {
            fs::create_dir(below(dir)).unwrap();
        }
        fs::write(below("real/v1/file"), "").unwrap();
        symlink("../real", below("links/tree")).unwrap();
        symlink("v1", below("real/data")).unwrap();
        symlink("data/file", below("real/file")).unwrap();
        let names = deciding(&below("links/tree/file"));
        for name in [
            "links",
            "links/tree",
            "real",
            "real/file",
            "real/data",
            "real/v1",
            "real/v1/file",
        ] {
            assert!(names.contains(&below(name)), "{name} in {names:?}");
        }
        assert!(names.contains(&home));
        // One that is not there, and one that leads to itself, have an end.
        assert!(deciding(&below("none/file")).contains(&below("none/file")));
        symlink("round", below("round")).unwrap();
        assert!(deciding(&below("round")).contains(&below("round")));
    }
}
