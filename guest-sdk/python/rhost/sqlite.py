"""Locks for SQLite's databases, and room for what it keeps beside them.

WASI has no locks on files, and SQLite built for it takes none, so that nothing
keeps two instances from writing at the same time. Its locking by a directory
beside the file (`unix-dotfile`) works between instances, so a connection to a
file gets that one, unless its URI names another. Connections are closed when the
request is over, and the host takes away the lock of an instance that was stopped
in the middle. The locks that a dead host left go when no request can hold them.

What a long transaction or a sort puts into temporary files is in memory where no
directory for them is lent.
"""

import os
import re
import time
from contextlib import suppress
from urllib.parse import quote, unquote
from weakref import WeakSet

from . import late

# Seconds: longer than a request may take (`--timeout`) unless that was raised.
ABANDONED = 90

# Arguments of sqlite3.connect after the first.
_POSITIONAL = ("timeout", "detect_types", "isolation_level", "check_same_thread", "factory", "cached_statements", "uri")

# Connections that such a lock may be held by.
_open = WeakSet()

# As the system has it; what `world` makes of it is the program's.
_mkdir = os.mkdir


# Where SQLite looks for a directory of temporary files, after those that variables name.
_TEMPORARY = ("/var/tmp", "/usr/tmp", "/tmp")


def release():
    """Closes what a request left open: nothing of it is used again."""
    for connection in list(_open):
        with suppress(Exception):
            connection.close()


def install():
    """Called once, before the application is imported."""
    late.when("sqlite3.dbapi2", _patch)


def _patch(module):
    plain = module.connect

    class Connection(module.Connection):
        """One that can be referred to weakly."""

    def connect(database, *args, **kwargs):
        """sqlite3.connect, with locks that other instances respect."""
        kwargs.update(zip(_POSITIONAL, args))
        name, asked = _named(os.fsdecode(database), kwargs.get("uri"))
        kwargs = {"factory": Connection, **kwargs}
        if name is not None and _is_writable(name):
            if asked is None:
                _free(name + ".lock")
                database, kwargs["uri"] = f"file:{quote(name)}?vfs=unix-dotfile", True
        elif name is not None and os.path.exists(name):
            # Nobody writes there, and SQLite would fail to lock it.
            asked = f"&{asked}" if asked else ""
            database, kwargs["uri"] = f"file:{quote(name)}?immutable=1{asked}", True
        connection = plain(database, **kwargs)
        if isinstance(connection, module.Connection) and not _has_temporary():
            module.Connection.execute(connection, "PRAGMA temp_store = MEMORY")
        # One of a factory in C cannot be referred to, and is its maker's.
        with suppress(TypeError):
            _open.add(connection)
        return connection

    module.connect = connect


def _named(database, is_uri):
    """The path of a database in a file, and what its URI asks for, if it is one."""
    asked = None
    if is_uri and database.startswith("file:"):
        database, _, asked = database.removeprefix("file:").partition("?")
        database = unquote(re.sub("^//(localhost)?(?=/)", "", database))
        if "mode=memory" in asked or "immutable=" in asked:
            return None, asked
    if database in ("", ":memory:"):
        return None, asked
    return os.path.abspath(database), asked


def _is_writable(path):
    """Whether its directory may be written to. WASI cannot be asked."""
    probe = path + ".lock.new"
    try:
        _mkdir(probe)
    except FileExistsError:
        return True
    except OSError:
        return False
    with suppress(OSError):
        os.rmdir(probe)
    return True


def _has_temporary():
    """Whether there is a directory for temporary files."""
    named = (os.environ.get("SQLITE_TMPDIR"), os.environ.get("TMPDIR"))
    return any(os.path.isdir(path) for path in (*named, *_TEMPORARY) if path)


def _free(lock):
    """Takes away a lock that was left behind."""
    guard = lock + ".old"
    with suppress(OSError):
        if time.time() - os.stat(lock).st_mtime > ABANDONED:
            # One at a time: the next must not take away the lock of whoever comes after this.
            _mkdir(guard)
            try:
                if time.time() - os.stat(lock).st_mtime > ABANDONED:
                    os.rmdir(lock)
            finally:
                os.rmdir(guard)
