"""Temporary files where no directory is lent.

Frameworks put uploads over some hundred kilobytes into a TemporaryFile, which
has no name and can as well be in memory. A file with a name cannot: its error
says how to lend a directory.
"""

import errno
import io
import tempfile

_in_directory = tempfile.TemporaryFile
_find_directory = tempfile._get_default_tempdir


def install():
    """Puts them in place of the standard library's."""
    tempfile.TemporaryFile = temporary_file
    tempfile._get_default_tempdir = _directory


def temporary_file(mode="w+b", buffering=-1, encoding=None, newline=None,
                   suffix=None, prefix=None, dir=None, *, errors=None):
    """tempfile.TemporaryFile; in memory where there is no directory for it."""
    try:
        return _in_directory(mode, buffering, encoding, newline, suffix, prefix, dir, errors=errors)
    except FileNotFoundError:
        if dir is not None:
            raise
    octets = io.BytesIO()
    if "b" in mode:
        return octets
    return io.TextIOWrapper(octets, encoding, errors, newline, write_through=True)


def _directory(*args, **kwargs):
    try:
        return _find_directory(*args, **kwargs)
    except FileNotFoundError:
        raise FileNotFoundError(
            errno.ENOENT, "no temporary directory; lend one to the app with --dir ./tmp:/tmp"
        ) from None
