"""Locks of files, between all instances that are lent the file.

WASI has none. A directory beside the file (`name.lock`) can be made by one alone, and
the host takes away that of an instance that ends in the middle. A lock that readers
could share is held by one reader at a time.
"""

import errno
import gc
import io
import os
import time

from rhost.absent import Refused
from rhost.ending import at_end

LOCK_SH, LOCK_EX, LOCK_NB, LOCK_UN = 1, 2, 4, 8
F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL = 0, 1, 2, 3, 4
F_GETLK, F_SETLK, F_SETLKW = 5, 6, 7
F_RDLCK, F_WRLCK, F_UNLCK = 0, 1, 2
FD_CLOEXEC = 1
F_FULLFSYNC = 51

# Seconds between two looks at a lock that another has.
_PAUSE = 0.005

# How often this instance has taken what it holds, by the path of the lock.
_held = {}

# Where the files of os.open are, by their descriptors; of those that were closed, too.
_opened = {}

_open = os.open


def flock(fd, operation, /):
    """Takes or gives back the lock of a file; waits for it unless LOCK_NB is among the flags."""
    _lock(_number(fd), operation)


def lockf(fd, cmd, len=0, start=0, whence=0, /):
    """As `flock`: of the whole file, whichever part is named."""
    _lock(_number(fd), cmd)


def fcntl(fd, cmd, arg=0, /):
    """What is asked of a descriptor is as it is without asking; locks are taken by `flock`."""
    number = _number(fd)
    if cmd in (F_SETLK, F_SETLKW, F_GETLK):
        raise Refused("fcntl.fcntl()", "WASI has no locks of files; take them by fcntl.flock, which uses a directory beside the file")
    if cmd == F_DUPFD:
        return os.dup(number)
    os.fstat(number)
    return FD_CLOEXEC if cmd == F_GETFD else 0


def ioctl(fd, request, arg=0, mutate_flag=True, /):
    raise OSError(errno.ENOTTY, "a sandbox has no devices")


def release():
    """Gives back whatever is held: the request is over."""
    for lock in list(_held):
        _give_back(lock)


def _number(fd):
    number = fd if isinstance(fd, int) else fd.fileno()
    if number < 0:
        raise ValueError(f"file descriptor cannot be a negative integer ({number})")
    return number


def _lock(number, operation):
    lock = _path(number) + ".lock"
    if operation & LOCK_UN:
        if lock in _held:
            _held[lock] -= 1
            if _held[lock] == 0:
                _give_back(lock)
        return
    if lock in _held:
        _held[lock] += 1
        return
    while True:
        try:
            os.mkdir(lock)
            break
        except FileExistsError:
            if operation & LOCK_NB:
                raise BlockingIOError(errno.EAGAIN, "another has the lock", lock) from None
            time.sleep(_PAUSE)
    _held[lock] = 1


def _give_back(lock):
    _held.pop(lock, None)
    try:
        os.rmdir(lock)
    except FileNotFoundError:
        pass


def _open_noting(path, flags, mode=0o777, *, dir_fd=None):
    """Open a file for low level IO, and keep where it is."""
    number = _open(path, flags, mode, dir_fd=dir_fd)
    if dir_fd is None:
        _opened[number] = os.path.abspath(os.fsdecode(path))
    else:
        _opened.pop(number, None)
    return number


def _path(number):
    """Where the file of this descriptor is; only who has opened it knows."""
    for thing in gc.get_objects():
        if type(thing) is io.FileIO and not thing.closed and thing.fileno() == number and isinstance(thing.name, (str, bytes)):
            return os.path.abspath(os.fsdecode(thing.name))
    path = _opened.get(number)
    # The number may be another file's by now.
    if path is not None and os.path.exists(path) and os.path.samestat(os.stat(path), os.fstat(number)):
        return path
    raise Refused("fcntl.flock()", "only files that have a name can be locked here, and that open() or os.open() has opened")


for able in (os.supports_dir_fd, os.supports_fd):
    if _open in able:
        able.add(_open_noting)
os.open = _open_noting
at_end(release)
