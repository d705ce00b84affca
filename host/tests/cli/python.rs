//! `rhost serve wsgi_app:app` as a person uses it: what it says, and how it ends.
//! A machine without Python or a network skips these tests and says so, unless
//! RHOST_REQUIRE_PYTHON=1 is set.

use crate::serving::{Serving, rhost};
use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Kept from one run to the next: what is installed, and what was built.
pub fn cache() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    // From target/debug/deps/python-0123.
    let dir = program.ancestors().nth(3).unwrap().join("rhost-cache");
    let made = fs::DirBuilder::new().mode(0o700).create(&dir);
    assert!(made.is_ok() || dir.is_dir());
    dir
}

/// A directory with these files in it.
fn home(files: &[(&str, &str)]) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = home.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    home
}

/// The command in `dir`.
fn command(dir: &Path) -> Command {
    let mut command = rhost();
    command.current_dir(dir).env_remove("VIRTUAL_ENV");
    command
}

/// `rhost serve APP` in `dir`.
fn serve(dir: &Path, app: &str) -> Command {
    let mut command = command(dir);
    command.args(["serve", app, "--addr", "127.0.0.1:0", "--cache-dir"]);
    command.arg(cache());
    command
}

/// What it said last: one line that begins with the command's name.
fn complaint(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    let line = text.lines().last().unwrap_or_default();
    assert!(line.starts_with("rhost: "), "{text}");
    line.to_owned()
}

/// Serves `app` in `dir`, which is to fail. None where nothing can be built.
pub fn failing(dir: &Path, app: &str) -> Option<Output> {
    let output = serve(dir, app).output().unwrap();
    let lacking = ["python3 cannot", "the package index cannot be reached"];
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if lacking.iter().any(|sign| said.contains(sign)) {
        assert!(
            std::env::var_os("RHOST_REQUIRE_PYTHON").is_none_or(|value| value != "1"),
            "{said}"
        );
        eprintln!("SKIPPED, since {said}");
        return None;
    }
    Some(output)
}

#[test]
fn what_can_be_told_without_building() {
    let home = home(&[
        ("app.py", "app = print"),
        ("web/pyproject.toml", "[project]\nname = \"web\""),
        (
            "bad/pyproject.toml",
            "[tool.rhost]\napp = \"web:app\"\nwarmup = []",
        ),
        ("odd/pyproject.toml", "[tool.rhost]\napp = \"web\""),
        ("hello.py", "print('Content-Type: text/plain\\n')"),
        (
            "both/pyproject.toml",
            "[tool.rhost]\napp = \"web:app\"\ncgi = \"hello.py\"",
        ),
    ]);
    for (app, said) in [
        ("app.py", "name the WSGI application in it, as app.py:app"),
        ("other.py:app", "other.py: no such file; give a Python file"),
        ("web", "needs `[tool.rhost]` with `app = \"wsgi_app:app\"`"),
        ("bad", "pyproject.toml:3: unknown field `warmup`"),
        ("odd", "write MODULE:CALLABLE, as wsgi_app:app"),
        ("hello.py", "run a script that prints its answer with --cgi"),
        ("both", "has `app` and `cgi`; leave one of them out"),
    ] {
        let line = complaint(&serve(home.path(), app).output().unwrap());
        assert!(line.contains(said), "{app}: {line}");
    }
    let absent = serve(home.path(), "absent.py").arg("--cgi").output();
    let line = complaint(&absent.unwrap());
    assert!(
        line.contains("absent.py: no CGI script; give a file"),
        "{line}"
    );
}

#[test]
fn what_is_wrong_with_the_program() {
    let home = home(&[
        ("syntax.py", "x = 1\ndef f(:\n    pass\n"),
        ("missing.py", "\nimport flasque\n"),
        ("callable.py", "application = print\n"),
        ("native.py", "import quick\n"),
        ("quick/__init__.py", "from quick import _quick\n"),
        ("quick/_quick.cpython-311-x86_64-linux-gnu.so", ""),
        (
            "raises.py",
            "def f():\n    raise RuntimeError('no database')\nf()\n",
        ),
        (
            "warm/pyproject.toml",
            "[tool.rhost]\napp = \"app:app\"\nwarm-up = [\"warm:fill\"]",
        ),
        ("warm/app.py", "app = print\n"),
        ("warm/warm.py", "\ndef fill(app):\n    {}['PRICES']\n"),
        ("old/pyproject.toml", "[tool.rhost]\ncgi = \"old.py\""),
        ("old/old.py", "import os\nimport cgi\nprint(cgi)\n"),
    ]);
    for (app, said) in [
        ("syntax:app", "syntax.py:2: "),
        (
            "missing:app",
            "missing.py:2: there is no module flasque; write a requirements.txt that has flasque in it",
        ),
        (
            "callable.py:app",
            "callable has no `app` (asked for: callable:app); is it callable:application?",
        ),
        ("native:app", "needs the native extension quick._quick"),
        (
            "raises:app",
            "raises.py:2: importing the app raised RuntimeError: no database; its traceback is above",
        ),
        (
            "warm",
            "warm.py:3: the warm-up warm:fill raised KeyError: 'PRICES'; correct it, or take it out of `warm-up`",
        ),
        (
            "old",
            "old.py:2: Python 3.14 has no module cgi any more; write a requirements.txt that has legacy-cgi in it",
        ),
    ] {
        let Some(output) = failing(home.path(), app) else {
            return;
        };
        let line = complaint(&output);
        assert!(line.contains(said), "{app}: {line}");
        let text = String::from_utf8_lossy(&output.stderr);
        let says_more = ["raises:app", "warm"].contains(&app);
        assert_eq!(text.contains("Traceback"), says_more, "{text}");
    }
    // Nothing was left in the program's directory.
    assert!(!home.path().join("__pycache__").exists());
}

/// A directory to be the only one on the PATH, with a program called python3.
fn with_python3(script: &str) -> tempfile::TempDir {
    let bin = home(&[("python3", &format!("#!/bin/sh\n{script}\n"))]);
    let python3 = bin.path().join("python3");
    fs::set_permissions(python3, fs::Permissions::from_mode(0o755)).unwrap();
    bin
}

#[test]
fn what_the_machine_lacks() {
    let program = home(&[("app.py", "app = print")]);
    let nothing = tempfile::tempdir().unwrap();
    let old = with_python3("echo '3 8'");
    let bare = with_python3(
        "case $1 in -c) echo '3 11';; *) echo 'No module named venv' >&2; exit 1;; esac",
    );
    for (path, said) in [
        (
            &nothing,
            "python3 cannot be run: No such file or directory (os error 2); install Python 3.10 or newer",
        ),
        (
            &old,
            "python3 cannot be run: it is version 3.8; install Python 3.10",
        ),
        (
            &bare,
            "(No module named venv); install its module venv, as `apt install python3-venv`",
        ),
    ] {
        let cache = tempfile::tempdir().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_rhost"))
            .args(["serve", "app:app", "--cache-dir"])
            .arg(cache.path().join("cache"))
            .current_dir(program.path())
            .env("PATH", path.path())
            .env_remove("VIRTUAL_ENV")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let line = complaint(&output);
        assert!(line.contains(said), "{line}");
    }
}

#[test]
fn packages_that_cannot_be_had() {
    let program = home(&[
        ("app.py", "app = print"),
        ("requirements.txt", "rhost-has-no-such-package==1\n"),
    ]);
    // Port 9 of this machine is nobody's index.
    let mut offline = serve(program.path(), "app:app");
    offline.env("PIP_INDEX_URL", "http://127.0.0.1:9/simple");
    // The tools have to be there; another test's program installs them.
    let Some(_) = failing(home(&[]).path(), "nowhere:app") else {
        return;
    };
    let line = complaint(&offline.output().unwrap());
    assert!(
        line.contains("what requirements.txt lists cannot be installed, since the package index cannot be reached"),
        "{line}"
    );
    let nonsense = home(&[
        ("app.py", "app = print"),
        ("requirements.txt", "not a requirement !\n"),
    ]);
    let line = complaint(&serve(nonsense.path(), "app:app").output().unwrap());
    assert!(line.contains("Invalid requirement"), "{line}");
}

#[test]
fn a_program_is_built_and_kept_and_built_anew() {
    let program = home(&[
        (
            "shop.py",
            "import os\n\nKEY = os.environ.get('SHOP_KEY')\n\n\ndef app(environ, start_response):\n    \
          start_response('200 OK', [])\n    return [f'one {KEY} {environ[\"PATH_INFO\"]}'.encode()]\n",
        ),
        ("broken.py", "import nowhere\n"),
    ]);
    let Some(_) = failing(program.path(), "broken:app") else {
        return;
    };
    let cache = cache();
    let with_key = [
        "shop.py:app",
        "--env",
        "SHOP_KEY=k",
        "--cache-dir",
        cache.to_str().unwrap(),
    ];
    let first = Serving::start(command(program.path()), &with_key);
    assert!(first.said.contains("building shop:app"), "{}", first.said);
    assert!(
        first
            .said
            .contains("shop: the warm-up GET / was answered 200"),
        "{}",
        first.said
    );
    assert!(first.get("/x").ends_with("one k /x"), "{}", first.get("/x"));
    drop(first);
    // Nothing has changed, so nothing is built; not even Python is there.
    let mut again = command(program.path());
    again.env("PATH", "");
    let second = Serving::start(again, &with_key);
    assert_eq!(second.said.lines().count(), 1, "{}", second.said);
    assert!(second.get("/y").ends_with("one k /y"));
    drop(second);
    let text = fs::read_to_string(program.path().join("shop.py")).unwrap();
    fs::write(
        program.path().join("shop.py"),
        text.replace("one", "1 / 0\n"),
    )
    .unwrap();
    let Some(output) = failing(program.path(), "shop.py:app") else {
        return;
    };
    assert!(
        complaint(&output).contains("shop.py:8: "),
        "{}",
        complaint(&output)
    );
}

#[test]
fn a_new_project_comes_up() {
    let home = tempfile::tempdir().unwrap();
    let made = Command::new(env!("CARGO_BIN_EXE_rhost"))
        .args([
            "new",
            "greeter",
            "--template",
            "python",
            "--vcs",
            "none",
            "-q",
        ])
        .current_dir(home.path())
        .status()
        .unwrap();
    assert!(made.success());
    let dir = home.path().join("greeter");
    let Ok(tested) = Command::new("python3")
        .args(["-m", "unittest", "-q"])
        .current_dir(&dir)
        .output()
    else {
        eprintln!("SKIPPED, since there is no python3");
        return;
    };
    let said = String::from_utf8_lossy(&tested.stderr);
    assert!(tested.status.success(), "{said}");
    // Where nothing can be built, this says so.
    fs::write(home.path().join("broken.py"), "import nowhere\n").unwrap();
    if failing(home.path(), "broken:app").is_none() {
        return;
    }
    let cache = cache();
    let cache = ["--cache-dir", cache.to_str().unwrap(), "--watch"];
    let mut serving = Serving::start(command(&dir), &cache);
    let answer = serving.get("/?name=Ada");
    assert!(answer.contains("<h1>Hello, Ada!</h1>"), "{answer}");

    // A change is served, and one that cannot be imported is not.
    let file = dir.join("wsgi_app.py");
    let program = fs::read_to_string(&file).unwrap();
    fs::write(&file, program.replace("Hello, ", "Good day, ")).unwrap();
    serving.until("wsgi_app is up to date again");
    assert!(serving.get("/").contains("<h1>Good day, world!</h1>"));
    fs::write(&file, program.replace("import json", "import jsn")).unwrap();
    serving.until("the last version that did is served on");
    assert!(serving.get("/").contains("<h1>Good day, world!</h1>"));
    let page = "host: localhost\r\nsec-fetch-dest: document\r\n";
    let page = serving.get_with("/", page);
    assert!(
        page.contains("does not build") && page.contains("jsn"),
        "{page}"
    );
}

/// Imports late, reads a file beside it, and says what it found while it was built.
const LATE: &str = "\
import functools, os, random
RNG = random.Random()
FILE = open(os.path.join(os.path.dirname(__file__), 'greeting.txt'))


@functools.lru_cache
def price():
    return 7


def app(environ, start_response):
    import colorsys
    start_response('200 OK', [])
    with open(os.path.join(os.path.dirname(__file__), 'greeting.txt')) as file:
        return [f'{file.read()} {price()} {colorsys.rgb_to_hsv(1, 0, 0)[1]}'.encode()]


def fill(app):
    price()
";

#[test]
fn a_component_to_deploy() {
    let program = home(&[
        ("shop/late.py", LATE),
        ("shop/greeting.txt", "Good day"),
        (
            "shop/pyproject.toml",
            "[tool.rhost]\napp = \"late:app\"\nwarm-up = \"late:fill\"",
        ),
        ("broken.py", "import nowhere\n"),
        ("served/mine.files/notes", ""),
    ]);
    let here = program.path();
    let Some(_) = failing(here, "broken:app") else {
        return;
    };
    let build = |output: &str| {
        let mut build = command(here);
        build.args(["build", "shop", "-o", output, "--cache-dir"]);
        build.arg(cache()).output().unwrap()
    };
    let made = build("served/shop.wasm");
    let said = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "{said}");
    assert_eq!(made.stdout, b"served/shop.wasm\n");
    for part in [
        "late: the warm-up late:fill was called",
        "late: late.RNG is a random.Random that was made once",
        "late: late.price is a cache with something in it",
        "late: /0/greeting.txt was left open",
        "it is lent what is in served/shop.files",
    ] {
        assert!(said.contains(part), "{part} in\n{said}");
    }

    // Its source is not needed any more, and neither is Python.
    fs::remove_dir_all(here.join("shop")).unwrap();
    let mut serve = command(&here.join("served"));
    serve.env("PATH", "");
    let cache = cache();
    let serving = Serving::start(
        serve,
        &["shop.wasm", "--cache-dir", cache.to_str().unwrap()],
    );
    let answer = serving.get("/");
    assert!(answer.ends_with("Good day 7 1.0"), "{answer}");

    let shown = command(here)
        .args(["inspect", "served/shop.wasm"])
        .output()
        .unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(
        shown.contains("\nPython\n") && shown.contains("  the warm-up late:fill was called\n"),
        "{shown}"
    );
    // Nothing of the user's is overwritten.
    fs::create_dir(here.join("shop")).unwrap();
    fs::write(
        here.join("shop/pyproject.toml"),
        "[tool.rhost]\ncgi = \"a.py\"",
    )
    .unwrap();
    fs::write(here.join("shop/a.py"), "print()").unwrap();
    let line = complaint(&build("served/mine.wasm"));
    assert!(
        line.contains("mine.files: there is something else of that name"),
        "{line}"
    );
    assert!(
        here.join("served/mine.files/notes").is_file() && !here.join("served/mine.wasm").exists()
    );
}
