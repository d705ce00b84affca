"""Users: none but the one that the program is, whose home is `HOME`."""

import os
from typing import NamedTuple


class struct_passwd(NamedTuple):
    """A user."""

    pw_name: str
    pw_passwd: str
    pw_uid: int
    pw_gid: int
    pw_gecos: str
    pw_dir: str
    pw_shell: str


def _own():
    return struct_passwd("rhost", "x", os.getuid(), os.getgid(), "", os.environ.get("HOME", "/"), "")


def getpwall():
    return [_own()]


def getpwuid(uid):
    own = _own()
    if uid != own.pw_uid:
        raise KeyError(f"getpwuid(): uid not found: {uid}; a sandbox has one user, {own.pw_uid}")
    return own


def getpwnam(name):
    own = _own()
    if name != own.pw_name:
        raise KeyError(f"getpwnam(): name not found: {name!r}; a sandbox has one user, {own.pw_name}")
    return own
