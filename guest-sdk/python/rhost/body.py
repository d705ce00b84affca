"""wsgi.input: the request's body as a file.

Reading is streaming: nothing is asked of the client before the application
reads, and no more is kept than a buffer.
"""

import io

from .gateway import Err, types

# Half of what the kernel hands over at a time; a buffer of it is made for each
# request that reads.
BUFFER = 1 << 15

# What `read()` without a size asks for at a time.
BLOCK = 1 << 18


class InputError(OSError):
    """The body cannot be read to its end. `fault` is the gateway's reason."""

    def __init__(self, message, fault):
        super().__init__(message)
        self.fault = fault


class IncompleteBody(InputError, ConnectionError):
    """The client left before the end. What was read is not the whole."""


class BodyTooLarge(InputError):
    """The body is larger than the server takes."""


class BodyTimedOut(InputError, TimeoutError):
    """The client sent nothing for as long as the server waits."""


def reason(fault):
    """The exception for what the gateway says."""
    if isinstance(fault, types.InputError_TooLarge):
        return BodyTooLarge(f"the request's body is larger than {fault.value} octets", fault)
    if isinstance(fault, types.InputError_TimedOut):
        return BodyTimedOut("the client stopped sending the request's body", fault)
    return IncompleteBody("the request's body ended early", fault)


class Octets(io.RawIOBase):
    """The gateway's input, as the io module wants it."""

    def __init__(self, source):
        self._source = source

    def readable(self):
        return True

    def readinto(self, buffer):
        block = self._read(len(buffer))
        buffer[: len(block)] = block
        return len(block)

    def readall(self):
        blocks = []
        while block := self._read(BLOCK):
            blocks.append(block)
        return b"".join(blocks)

    def _read(self, size):
        try:
            return self._source.read(size)
        except Err as error:
            raise reason(error.value) from None


def opened(source):
    """A file with read, readline, readlines and iteration."""
    return io.BufferedReader(Octets(source), BUFFER)
