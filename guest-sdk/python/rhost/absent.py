"""Modules that CPython has of an operating system, or of a native library, and WebAssembly has not.

Dozens of packages import them and never use them. So they can be imported: what
can be done without the system is done, and the rest raises when it is called, with
the reason and what to do. They are in `modules`, and found last: a package that
brings one of its own goes first.
"""

import errno
import os
import sys
from importlib.util import spec_from_file_location

_MODULES = frozenset((
    "_bz2", "_ctypes", "_lzma", "_multiprocessing", "_posixshmem", "_ssl", "fcntl", "grp", "mmap", "pwd", "resource",
    "syslog", "termios",
))


class Refused(OSError):
    """What was called needs what no sandbox has."""

    def __init__(self, what, why):
        super().__init__(errno.ENOSYS, f"{what}: {why}")


def refusing(what, why):
    """A function that raises when it is called."""
    def function(*args, **kwargs):
        raise Refused(f"{what}()", why)

    function.__name__ = function.__qualname__ = what.rpartition(".")[2]
    return function


class _Finder:
    def find_spec(self, name, path=None, target=None):
        if name not in _MODULES:
            return None
        file = os.path.join(os.path.dirname(__file__), "modules", name + ".py")
        return spec_from_file_location(name, file)


def install():
    """Called once, before the application is imported. All are loaded: no instance has their files."""
    sys.meta_path.append(_Finder())
    for name in sorted(_MODULES):
        __import__(name)
