//! What is saved is there, whole, and nobody else's.

use super::{Content, Id, Note, Notebook};
use std::fs;
use std::thread;

fn content(title: &str) -> Content {
    Content {
        title: title.into(),
        text: "a\nb".into(),
        changed: 1_795_243_054_125,
        attachment: None,
    }
}

fn save(notebook: &Notebook, title: &str) -> Note {
    notebook.create(content(title)).expect("it can be saved")
}

#[test]
fn notes_are_saved_changed_and_deleted() {
    let data = tempfile::tempdir().expect("a directory");
    let notebook = Notebook::of(data.path(), "Ada");
    assert!(notebook.list().expect("none yet").is_empty());
    let note = save(&notebook, "Milk");
    assert_eq!(note.changed(), "2026-11-21T06:37:34.125Z");
    assert_eq!(notebook.read(note.id).expect("a note"), Some(note.clone()));

    let next = notebook.replace(&note, content("Bread")).expect("saved");
    let next = next.expect("nobody else saved it");
    assert_eq!((next.revision, next.content.title.as_str()), (2, "Bread"));
    assert_ne!(next.etag(), note.etag());
    // Who has not seen the second revision does not replace it.
    let late = notebook.replace(&note, content("Beans")).expect("refused");
    assert_eq!(late, None);
    assert_eq!(notebook.list().expect("one"), std::slice::from_ref(&next));

    assert!(notebook.delete(note.id).expect("deleted"));
    assert!(!notebook.delete(note.id).expect("gone already"));
    assert_eq!(notebook.read(note.id).expect("none"), None);
    assert_eq!(notebook.replace(&next, content("x")).expect("none"), None);
    for place in [notebook.place, notebook.aside] {
        let left = fs::read_dir(place).expect("a directory").count();
        assert_eq!(left, 0);
    }
}

#[test]
fn names_that_differ_have_notebooks_that_do() {
    let data = tempfile::tempdir().expect("a directory");
    save(&Notebook::of(data.path(), "Zoë"), "hers");
    for (name, notes) in [("zoë", 1), ("ZOË", 1), ("zoe", 0), ("../Zoë", 0)] {
        let notebook = Notebook::of(data.path(), name);
        assert!(notebook.place.starts_with(data.path().join("notebooks")));
        assert_eq!(notebook.list().expect("a list").len(), notes, "{name}");
    }
}

#[test]
fn of_many_who_save_at_once_one_does() {
    let data = tempfile::tempdir().expect("a directory");
    let notebook = Notebook::of(data.path(), "Ada");
    let note = save(&notebook, "Milk");
    let saved = thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let (notebook, note) = (&notebook, &note);
                scope.spawn(move || notebook.replace(note, content(&writer.to_string())))
            })
            .collect();
        writers
            .into_iter()
            .filter_map(|writer| writer.join().expect("no panic").expect("no error"))
            .collect::<Vec<_>>()
    });
    assert_eq!(saved.len(), 1);
    assert_eq!(notebook.list().expect("one"), saved);
}

#[test]
fn what_is_no_note_is_not_taken_for_one() {
    let data = tempfile::tempdir().expect("a directory");
    let notebook = Notebook::of(data.path(), "Ada");
    let note = save(&notebook, "Milk");
    let directory = notebook.directory(note.id);
    fs::write(directory.join(".0000000000000007"), "half").expect("a file");
    fs::write(directory.join("x.json"), "no revision").expect("a file");
    fs::create_dir(notebook.place.join("0000000000000001")).expect("a directory");
    fs::create_dir(notebook.place.join(".deleted")).expect("a directory");
    assert_eq!(notebook.list().expect("one"), std::slice::from_ref(&note));
    // A revision that somebody damaged is an error, and not an empty note.
    fs::write(directory.join("2.json"), "{").expect("a file");
    assert!(notebook.read(note.id).is_err());
}

#[test]
fn an_id_has_one_spelling() {
    let id: Id = "00000000000000ff".parse().expect("an ID");
    assert_eq!(id.to_string(), "00000000000000ff");
    for other in [
        "ff",
        "00000000000000FF",
        "+0000000000000ff",
        "",
        "..",
        "000000000000000fff",
    ] {
        assert!(other.parse::<Id>().is_err(), "{other}");
    }
}
