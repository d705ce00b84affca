"""The surroundings of a process, as a program finds them elsewhere.

What the import has set in `os.environ` is there in every request; the server's own
variables (`--env`) go over it. The current directory is the program's. A directory that
the import makes where nothing is lent yet is made when an instance begins to serve.
"""

import errno
import os
import shutil
import sys
import zoneinfo
from collections import namedtuple
from contextlib import suppress

from . import late

# Where time zones are: beside the standard library in a request, and beside the adapter
# while it is built.
_ZONES = ("/python/zoneinfo-files", os.path.join(os.path.dirname(os.path.dirname(__file__)), "zoneinfo-files"))

_HOME = "/tmp"
_umask = 0o022
# Variables as they were before the import, those of the build itself among them, and what
# the import has set.
_before = {}
_at_import = {}

# Directories to make, those above before those below.
_to_make = {}
_root = None

# What stands for what is asked of such a directory at import, and the system's own.
_asked = {}
_mkdir = os.mkdir
_open = os.open

_Usage = namedtuple("usage", ("total", "used", "free"))
_ROOM = 1 << 40


def install(root):
    """Called once, before the application is imported; its directory is `root`."""
    global _root, _open
    _root = root
    # That which `fcntl` has put in place, for the locks of what it opens.
    _open = os.open
    _before.update(os.environ)
    _ask("stat", lambda: os.stat(root))
    _ask("listdir", list)
    _ask("scandir", _Nothing)
    _asked["mkdir"] = _mkdir
    os.mkdir = mkdir
    os.chdir(root)
    zoneinfo.reset_tzpath(to=_ZONES)
    late.when("subprocess", _no_programs)
    for able in (os.supports_dir_fd, os.supports_fd):
        if _open in able:
            able.add(open_)
    open_.__name__ = open_.__qualname__ = "open"
    os.open = open_
    if not hasattr(os, "umask"):
        os.umask = umask
    if not hasattr(shutil, "disk_usage"):
        shutil.disk_usage = disk_usage


def give_home(given):
    """Sets `HOME`, which most programs take for granted, unless it is among the variables `given`."""
    if "HOME" not in given:
        os.environ["HOME"] = _HOME


def freeze():
    """Keeps what the import has set, before the snapshot is made."""
    for name, value in os.environ.items():
        if _before.get(name) != value:
            _at_import[name] = value
    for name, function in _asked.items():
        setattr(os, name, function)
    _asked.clear()


def wake():
    """Called when an instance begins to serve: `os.environ` has the server's variables alone."""
    for name, value in _at_import.items():
        if name not in os.environ:
            os.environ[name] = value
    for path in _to_make:
        # It is not there if nothing is lent where it would be.
        with suppress(OSError):
            os.makedirs(path, exist_ok=True)


def mkdir(path, mode=0o777, *, dir_fd=None):
    """Create a directory; at import outside of the program's own, keep that it is to be made."""
    try:
        return _mkdir(path, mode, dir_fd=dir_fd)
    except FileExistsError:
        raise
    except OSError:
        place = os.path.abspath(os.fsdecode(path))
        if not _asked or dir_fd is not None or place == _root or place.startswith(_root + "/") or _is_in_request():
            raise
    if place in _to_make:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
    parts = place.split("/")
    for end in range(2, len(parts) + 1):
        _to_make["/".join(parts[:end])] = True


def _is_in_request():
    """Whether this is a warm-up, which is to make what a request makes, and no more."""
    frame = sys._getframe(2)
    while frame is not None and frame.f_globals.get("__name__") != "rhost.warm_up":
        frame = frame.f_back
    return frame is not None


def _ask(name, answer):
    """Has that function of `os` answer so for a directory that is still to be made, where nothing is in."""
    plain = _asked[name] = getattr(os, name)

    def function(path=".", *args, **kwargs):
        try:
            return plain(path, *args, **kwargs)
        except OSError:
            if _asked and not isinstance(path, int) and os.path.abspath(os.fsdecode(path)) in _to_make:
                return answer()
            raise

    function.__name__ = function.__qualname__ = name
    setattr(os, name, function)


class _Nothing:
    """What os.scandir finds in an empty directory."""

    def __iter__(self):
        return self

    def __next__(self):
        raise StopIteration

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        pass


def umask(mask, /):
    """Set the current numeric umask and return the previous umask. WASI's files have no modes."""
    global _umask
    before, _umask = _umask, mask & 0o777
    return before


def disk_usage(path):
    """Return disk usage statistics about the given path. WASI tells none: a TiB, nothing of it used."""
    os.stat(path)
    return _Usage(_ROOM, 0, _ROOM)


def open_(path, flags, mode=0o777, *, dir_fd=None):
    """Open a file for low level IO. Elsewhere to read is 0, and WASI has a flag for it."""
    if not flags & (os.O_RDONLY | os.O_WRONLY):
        flags |= os.O_RDONLY
    return _open(path, flags, mode, dir_fd=dir_fd)


def _no_programs(module):
    def __init__(self, args, *more, **kwargs):
        program = args if isinstance(args, (str, bytes)) else next(iter(args), "")
        raise FileNotFoundError(errno.ENOENT, "there are no programs in a sandbox", program)

    module.Popen.__init__ = __init__
    # Of one that was not started.
    module.Popen.__del__ = lambda self: None
