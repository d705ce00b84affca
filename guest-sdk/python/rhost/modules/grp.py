"""Groups: none but the one that the program is in."""

import os
from typing import NamedTuple


class struct_group(NamedTuple):
    """A group."""

    gr_name: str
    gr_passwd: str
    gr_gid: int
    gr_mem: list


def _own():
    return struct_group("rhost", "x", os.getgid(), [])


def getgrall():
    return [_own()]


def getgrgid(id):
    own = _own()
    if id != own.gr_gid:
        raise KeyError(f"getgrgid(): gid not found: {id}; a sandbox has one group, {own.gr_gid}")
    return own


def getgrnam(name):
    own = _own()
    if name != own.gr_name:
        raise KeyError(f"getgrnam(): name not found: {name!r}; a sandbox has one group, {own.gr_name}")
    return own
