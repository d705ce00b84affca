"""The surroundings of a process, as a program finds them elsewhere.

What the import has set in `os.environ` is there in every request; the server's own
variables (`--env`) go over it. The current directory is the program's.
"""

import errno
import os
import shutil
import zoneinfo

# Where time zones are: beside the standard library in a request, and beside the adapter
# while it is built.
_ZONES = ("/python/zoneinfo-files", os.path.join(os.path.dirname(os.path.dirname(__file__)), "zoneinfo-files"))

_HOME = "/tmp"
_umask = 0o022
_at_import = {}


def install(root):
    """Called once, before the application is imported; its directory is `root`."""
    os.environ.setdefault("HOME", _HOME)
    os.chdir(root)
    zoneinfo.reset_tzpath(to=_ZONES)
    if not hasattr(os, "umask"):
        os.umask = umask
    if not hasattr(shutil, "disk_usage"):
        shutil.disk_usage = disk_usage


def freeze():
    """Keeps what the import has set, before the snapshot is made."""
    _at_import.update(os.environ)


def wake():
    """Called when an instance begins to serve: `os.environ` has the server's variables alone."""
    for name, value in _at_import.items():
        if name not in os.environ:
            os.environ[name] = value


def umask(mask, /):
    """Set the current numeric umask and return the previous umask. WASI's files have no modes."""
    global _umask
    before, _umask = _umask, mask & 0o777
    return before


def disk_usage(path):
    """Return disk usage statistics about the given path: WASI does not tell them."""
    os.stat(path)
    raise OSError(errno.ENOSYS, "a sandbox is not told how much room a disk has", path)
