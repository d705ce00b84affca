"""What every instance has to do anew, since all of them begin as one snapshot.

componentize-py itself seeds `random` and reads the environment variables.
Generators that an application made while it was imported are its own business
(`build` names them), and the seed of `hash()` cannot be changed: it is the same
in every request until the app is built again.
"""

import io
import sys

from . import tempfiles, world

# Names in modules of the standard library that remember who or when they were.
_REMEMBERED = {
    "uuid": ("_node", "_last_timestamp"),
    "tempfile": ("_name_sequence", "tempdir"),
}


class _Standard(io.FileIO):
    """A standard stream that takes what is written though nobody reads it: the build keeps
    some thousand octets, and fails a write of more.
    """

    def write(self, octets):
        try:
            return super().write(octets)
        except BrokenPipeError:
            return len(octets)


def streams():
    """Called once, before the application is imported and keeps the standard streams.

    What an instance printed is in the log even if a limit ends it. A write of
    more than the host takes at once is gone on with, which a stream without a
    buffer leaves to whoever writes.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream.buffer, io.FileIO):
            encoding, errors = stream.encoding, stream.errors
            raw = _Standard(stream.detach().fileno(), "wb", closefd=False)
            stream = io.TextIOWrapper(io.BufferedWriter(raw), encoding, errors)
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)
        stream.reconfigure(line_buffering=True)


def freeze():
    """Called once, when the snapshot is about to be made."""
    tempfiles.install()
    world.freeze()


def wake():
    """Called when an instance begins to serve."""
    world.wake()
    for module, names in _REMEMBERED.items():
        module = sys.modules.get(module)
        if module is not None:
            for name in names:
                setattr(module, name, None)
