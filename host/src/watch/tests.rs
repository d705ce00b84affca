use super::*;

#[test]
fn what_is_made_or_lent_is_not_source() {
    let scope = Scope::Trees {
        roots: vec!["/app".into(), "/sdk".into()],
        except: vec!["/app/target".into(), "/app/data".into()],
    };
    for source in [
        "/app/src/lib.rs",
        "/app/Cargo.toml",
        "/sdk/src/a.rs",
        "/app/.cargo/config.toml",
    ] {
        assert!(scope.has(Path::new(source)), "{source}");
    }
    for other in [
        "/app/target/release/app.wasm",
        "/app/data/notes.txt",
        "/app/.git/index",
        "/app/src/.lib.rs.swp",
        "/app/src/lib.rs~",
        "/app/src/4913",
        "/elsewhere/lib.rs",
    ] {
        assert!(!scope.has(Path::new(other)), "{other}");
    }
}

#[test]
fn what_the_system_could_not_tell_is_a_change() {
    let rescan = notify::Event::new(EventKind::Other).set_flag(notify::event::Flag::Rescan);
    assert_eq!(changed(Ok(rescan)), [None]);
    assert_eq!(changed(Err(notify::Error::generic("lost"))), [None]);
    let read = EventKind::Access(notify::event::AccessKind::Read);
    let read = notify::Event::new(read).add_path("/app/src/lib.rs".into());
    assert_eq!(changed(Ok(read)), []);
}

#[test]
fn a_change_is_noticed_however_it_is_saved() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path().canonicalize().unwrap();
    let file = home.join("app.wasm");
    fs::write(&file, "1").unwrap();
    let mut watch = Watch::file(&file).unwrap();
    fs::write(home.join("other"), "x").unwrap();
    fs::write(&file, "2").unwrap();
    assert_eq!(watch.wait().unwrap(), file);
    // As an editor does it: a new file takes the name.
    fs::write(home.join("new"), "3").unwrap();
    fs::rename(home.join("new"), &file).unwrap();
    assert_eq!(watch.wait().unwrap(), file);
}

/// A link whose directory is a link, each of which is made to lead elsewhere; and a
/// directory that gives its name to another.
#[test]
fn a_change_of_what_leads_there_is_noticed() {
    use std::os::unix::fs::symlink;
    let home = tempfile::tempdir().unwrap();
    let home = home.path().canonicalize().unwrap();
    for (dir, link) in [("a/1", "a/data"), ("b/1", "b/data")] {
        fs::create_dir_all(home.join(dir)).unwrap();
        fs::write(home.join(dir).join("file"), dir).unwrap();
        symlink("1", home.join(link)).unwrap();
    }
    symlink("a", home.join("tree")).unwrap();
    let file = home.join("tree/data/file");
    let mut watch = Watch::file(&file).unwrap();
    let lead = |link: &str, to: &str| {
        symlink(to, home.join("new")).unwrap();
        fs::rename(home.join("new"), home.join(link)).unwrap();
    };
    lead("tree", "b");
    assert_eq!(watch.wait().unwrap(), file);
    fs::create_dir(home.join("b/2")).unwrap();
    fs::write(home.join("b/2/file"), "2").unwrap();
    lead("b/data", "2");
    assert_eq!(watch.wait().unwrap(), file);
    fs::write(home.join("b/2/file"), "3").unwrap();
    assert_eq!(watch.wait().unwrap(), file);
    fs::rename(home.join("b"), home.join("c")).unwrap();
    assert_eq!(watch.wait().unwrap(), file);
    fs::create_dir_all(home.join("b/data")).unwrap();
    assert_eq!(watch.wait().unwrap(), file);
    fs::write(home.join("b/data/file"), "4").unwrap();
    assert_eq!(watch.wait().unwrap(), file);
}

#[test]
fn a_new_directory_is_watched() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path().canonicalize().unwrap();
    fs::create_dir(home.join("target")).unwrap();
    let mut watch = Watch::new(Scope::Trees {
        roots: vec![home.clone()],
        except: vec![home.join("target")],
    })
    .unwrap();
    fs::create_dir(home.join("src")).unwrap();
    assert_eq!(watch.wait().unwrap(), home.join("src"));
    fs::write(home.join("target/made"), "x").unwrap();
    fs::write(home.join("src/lib.rs"), "x").unwrap();
    assert_eq!(watch.wait().unwrap(), home.join("src/lib.rs"));
}

#[test]
fn what_the_system_did_not_tell_counts_as_a_change() {
    let overflow = notify::Event::new(EventKind::Other).set_flag(notify::event::Flag::Rescan);
    assert_eq!(changed(Ok(overflow)), [None]);
    assert_eq!(changed(Err(notify::Error::generic("lost"))), [None]);
}
