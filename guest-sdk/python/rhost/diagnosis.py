"""Why an application cannot be imported, in a line that ends in what to do."""

import os
import sys
from traceback import extract_tb

from .locate import NotFound
from .natives import INSTEAD
from .report import shortened
from .warm_up import Failed

# Endings of native extensions; a sandbox runs none of them.
_NATIVE = (".so", ".pyd", ".dylib")

# Modules that need what a sandbox has not; `sys.stdlib_module_names` has them on
# every system.
_NEEDS = {
    "_ssl": "TLS", "_ctypes": "native libraries", "_bz2": "a native library", "_lzma": "a native library",
    "_zstd": "a native library", "mmap": "mapped files", "fcntl": "file locks", "_multiprocessing": "processes",
    "_posixsubprocess": "processes", "_curses": "a terminal", "termios": "a terminal", "readline": "a terminal",
}

# Modules that later Pythons dropped, and the packages that bring them back.
_DROPPED = {
    "asynchat": "pyasynchat", "asyncore": "pyasyncore", "cgi": "legacy-cgi", "cgitb": "legacy-cgi",
    "crypt": "legacycrypt", "distutils": "setuptools", "imp": "zombie-imp", "telnetlib": "standard-telnetlib",
}


def diagnose(error, root, cure):
    """What to tell of `error`, and whether its traceback says more.

    `root` is the directory of the application; `cure`, what to do about a
    missing `{module}`.
    """
    if isinstance(error, NotFound):
        return str(error), False
    if isinstance(error, Failed):
        cause = error.__cause__
        return (
            f"{_place(cause, root)}: the warm-up {error} raised {_said(cause)}; correct it, or take it out of `warm-up` "
            "under [tool.rhost]"
        ), True
    if isinstance(error, SyntaxError) and error.filename:
        place = f"{shortened(error.filename)}:{error.lineno}"
        code = f": `{error.text.strip()}`" if error.text and error.text.strip() else ""
        return f"{place}: {error.msg}{code}; correct that line", False
    for cause in _causes(error):
        if isinstance(cause, ImportError) and cause.name:
            text = _of_import(cause, _place(error, root), cure)
            if text:
                return text, False
    return _of_exception(error, root), True


def _causes(error):
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _of_import(error, who, cure):
    # `from package import _fast` names the package, and apart from it the extension.
    inner = getattr(error, "name_from", None)
    name = f"{error.name}.{inner}" if inner else error.name
    top = name.split(".")[0]
    missing = isinstance(error, ModuleNotFoundError)
    if missing and top in _DROPPED:
        return f"{who}: Python 3.14 has no module {name} any more; {cure.replace('{module}', _DROPPED[top])}"
    if missing and top in sys.stdlib_module_names:
        needs = f" (it needs {_NEEDS[top]})" if top in _NEEDS else ""
        return f"{who}: the standard library's {name} does not exist in a sandbox{needs}; do without it"
    file = native_file(name)
    if file:
        asked = _packages(error)
        way = f"{asked[0]} needs {top}, and that" if asked and asked[0] != top else top
        instead = INSTEAD.get(top)
        cure = f"in place of {top} there is {instead}" if instead else f"use a package that is pure Python in place of {asked[0] if asked else top}"
        return f"{who}: {way} needs the native extension {name} ({file}), which cannot run in a sandbox; {cure}"
    if missing:
        return f"{who}: there is no module {name}; {cure.replace('{module}', top)}"
    return None


def _packages(error):
    """The packages by way of which something was imported, the one that was asked for first."""
    packages = []
    for frame in extract_tb(error.__traceback__):
        parts = frame.filename.split("/")
        # Installed ones are below `/2`.
        if parts[:2] == ["", "2"] and len(parts) > 2:
            name = parts[2].removesuffix(".py")
            if name not in packages:
                packages.append(name)
    return packages


def native_file(name):
    """The file of the native extension `name`, wherever the app is allowed to look."""
    *packages, last = name.split(".")
    for directory in sys.path:
        try:
            files = os.listdir(os.path.join(directory, *packages))
        except OSError:
            continue
        for file in sorted(files):
            if file.split(".")[0] == last and file.endswith(_NATIVE):
                return file
    return None


# What a sandbox has not, by the file in which asking for it failed.
_ASKED_FOR = {
    "socket.py": "sockets, and so no event loop of asyncio",
    "threading.py": "second thread",
    "subprocess.py": "processes",
}


def _of_exception(error, root):
    said = _said(error)
    frames = extract_tb(error.__traceback__)
    file = frames[-1].filename.rpartition("/")[2] if frames else ""
    if file in _ASKED_FOR and isinstance(error, (OSError, RuntimeError)):
        return f"{_place(error, root)}: {said}: a sandbox has no {_ASKED_FOR[file]}; do without it"
    if isinstance(error, KeyError) and error.args and str(error.args[0]).isupper():
        return f"{_place(error, root)}: {said}; if it is an environment variable, give it: --env {error.args[0]}=..."
    return f"{_place(error, root)}: importing the app raised {said}; its traceback is above"


def _said(error):
    text = str(error)
    said = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return " ".join(said.split())


def _place(error, root):
    """The innermost line of the application's own."""
    frames = extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename.startswith(root + "/")]
    if not own:
        return "the app"
    return f"{shortened(own[-1].filename)}:{own[-1].lineno}"
