//! Why a WSGI program cannot be built.

use std::io;
use std::path::PathBuf;

/// Why a WSGI program cannot be built. One line each; the last words are what to
/// do.
#[derive(Debug, thiserror::Error)]
pub enum PythonError {
    /// A file of Python without the name of its application, which has one of a
    /// usual name.
    #[error("{}: name the WSGI application in it, as {}:{name}", path.display(), path.display())]
    NoCallable {
        /// The file.
        path: PathBuf,
        /// What it calls its application.
        name: &'static str,
    },
    /// A file of Python that seems to have no application.
    #[error(
        "{}: there is no WSGI application in it that is called app or application; name it, as {}:NAME, or run a \
         script that prints its answer with --cgi",
        .0.display(), .0.display()
    )]
    Nameless(PathBuf),
    /// What is to be run as a CGI script is none.
    #[error("{}: no CGI script; give a file that ends in .py, or a directory of such files", .0.display())]
    NoScript(PathBuf),
    /// Both an application and scripts.
    #[error("{}: [tool.rhost] has `app` and `cgi`; leave one of them out", .0.display())]
    Both(PathBuf),
    /// A directory that does not say what its application is.
    #[error(
        "{} does not say which WSGI application it holds; its pyproject.toml needs `[tool.rhost]` with \
         `app = \"wsgi_app:app\"`, or `cgi = \"hello.py\"`",
        .0.display()
    )]
    NoApp(PathBuf),
    /// A file that is not there.
    #[error("{}: no such file; give a Python file, or a module from here, as wsgi_app:app", .0.display())]
    NoFile(PathBuf),
    /// The name of an application that cannot be one.
    #[error("`{0}` is no WSGI application; write MODULE:CALLABLE, as wsgi_app:app")]
    Name(String),
    /// A pyproject.toml that cannot be understood.
    #[error("{}{}: {problem}; correct that line", path.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// Where in it.
        line: Option<usize>,
        /// What is wrong.
        problem: String,
    },
    /// A file or directory that cannot be read or written.
    #[error("{}: {error}; see that it can be read and written", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Something else is where the files of a component go.
    #[error("{}: there is something else of that name; move it, or choose another place with -o", .0.display())]
    InTheWay(PathBuf),
    /// A directory below the program's that cannot be read.
    #[error(
        "{}: it cannot be read; leave it out, with exclude = [\"{}\"] under [tool.rhost] in pyproject.toml",
        .0.display(), .0.display()
    )]
    Unreadable(PathBuf),
    /// More files than a program has.
    #[error(
        "{} has more than {most} files, too many for one program; serve it from a directory of its own, or leave some \
         out with `exclude` under [tool.rhost] in pyproject.toml",
        path.display()
    )]
    TooManyFiles {
        /// The directory.
        path: PathBuf,
        /// How many would be taken.
        most: usize,
    },
    /// There is no Python to build with.
    #[error(
        "python3 cannot be run: {0}; install Python 3.10 or newer, as `apt install python3 python3-venv`"
    )]
    NoPython(io::Error),
    /// Python cannot make environments, or not where it was told to.
    #[error(
        "python3 cannot make a virtual environment ({0}); install its module venv, as `apt install python3-venv`"
    )]
    NoVenv(String),
    /// The package index cannot be reached.
    #[error(
        "{what} cannot be installed, since the package index cannot be reached ({why}); connect to a network, or name \
         a mirror in PIP_INDEX_URL"
    )]
    NoNetwork {
        /// What was to be installed.
        what: String,
        /// pip's words.
        why: String,
    },
    /// pip has another reason.
    #[error("{what} cannot be installed ({why}); correct that and try again")]
    Pip {
        /// What was to be installed.
        what: String,
        /// pip's words.
        why: String,
    },
    /// The program itself is the reason.
    #[error("{message}")]
    App {
        /// The reason, and what to do.
        message: String,
        /// Python's traceback, where it says more.
        traceback: Option<String>,
    },
    /// The program's functions called each other too deep.
    #[error(
        "the program called deeper than the 512 KiB of stack that it has while it is built; what recurses so deep is \
         done in a request, which has more: take it out of the import, and out of `warm-up` under [tool.rhost]"
    )]
    TooDeep,
    /// componentize-py failed without the program having been asked.
    #[error("componentize-py failed: {0}; empty the cache directory and try again")]
    Tool(String),
}

impl PythonError {
    /// What says more than the one line: Python's traceback.
    pub fn details(&self) -> Option<&str> {
        match self {
            PythonError::App { traceback, .. } => traceback.as_deref(),
            _ => None,
        }
    }

    /// For the result of an operation on `path`.
    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| PythonError::File { path, error }
    }
}
