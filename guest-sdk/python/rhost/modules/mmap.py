"""Files in memory: a copy, which is written back when it is flushed or closed.

WebAssembly maps no files. What one program sees of another's writes, or of its own
by another way, is what was in the file when it was mapped.
"""

import os

PAGESIZE = ALLOCATIONGRANULARITY = 65536
PROT_NONE, PROT_READ, PROT_WRITE, PROT_EXEC = 0, 1, 2, 4
MAP_SHARED, MAP_PRIVATE, MAP_ANON, MAP_ANONYMOUS = 1, 2, 32, 32
ACCESS_DEFAULT, ACCESS_READ, ACCESS_WRITE, ACCESS_COPY = 0, 1, 2, 3
MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTNEED = 0, 1, 2, 3, 4

error = OSError


class mmap:
    """A file, or memory if its number is -1, as octets that are read and written at any place."""

    def __init__(self, fileno, length, flags=MAP_SHARED, prot=PROT_READ | PROT_WRITE, access=ACCESS_DEFAULT, offset=0,
                 *, trackfd=True):
        if length < 0:
            raise OverflowError("memory mapped length must be positive")
        if offset < 0:
            raise OverflowError("memory mapped offset must be positive")
        self._fileno, self._offset, self._at = fileno, offset, 0
        self._is_kept = (fileno != -1 and access in (ACCESS_DEFAULT, ACCESS_WRITE) and flags & MAP_SHARED
                         and (access == ACCESS_WRITE or prot & PROT_WRITE))
        self._is_read_only = access == ACCESS_READ or access == ACCESS_DEFAULT and not prot & PROT_WRITE
        if fileno == -1:
            octets = bytes(length)
        else:
            size = os.fstat(fileno).st_size
            if length == 0:
                if size == 0:
                    raise ValueError("cannot mmap an empty file")
                if offset >= size:
                    raise ValueError("mmap offset is greater than file size")
                length = size - offset
            elif offset + length > size:
                raise ValueError("mmap length is greater than file size")
            octets = self._read(length)
        self._octets = octets if self._is_read_only else bytearray(octets)

    def _read(self, length):
        before = os.lseek(self._fileno, 0, os.SEEK_CUR)
        blocks = []
        try:
            os.lseek(self._fileno, self._offset, os.SEEK_SET)
            while length > 0 and (block := os.read(self._fileno, min(length, 1 << 20))):
                blocks.append(block)
                length -= len(block)
        finally:
            os.lseek(self._fileno, before, os.SEEK_SET)
        return b"".join(blocks)

    def _open(self):
        if self._octets is None:
            raise ValueError("mmap closed or invalid")
        return self._octets

    def _writable(self):
        if self._is_read_only:
            raise TypeError("mmap can't modify a readonly memory map.")
        return self._open()

    def __len__(self):
        return len(self._open())

    def __getitem__(self, key):
        found = self._open()[key]
        return found if isinstance(found, int) else bytes(found)

    def __setitem__(self, key, value):
        octets = self._writable()
        if isinstance(key, slice) and len(range(*key.indices(len(octets)))) != len(value):
            raise IndexError("mmap slice assignment is wrong size")
        octets[key] = value

    def __iter__(self):
        return iter(self._open())

    def __contains__(self, value):
        return value in self._open()

    def __buffer__(self, flags):
        return memoryview(self._open())

    def __enter__(self):
        self._open()
        return self

    def __exit__(self, *raised):
        self.close()

    def __del__(self):
        if getattr(self, "_octets", None) is not None:
            self.close()

    @property
    def closed(self):
        return self._octets is None

    def close(self):
        if self._octets is not None:
            try:
                self.flush()
            finally:
                self._octets = None

    def flush(self, offset=0, size=None, *, flags=0):
        octets = self._open()
        if not self._is_kept:
            return
        before = os.lseek(self._fileno, 0, os.SEEK_CUR)
        try:
            os.lseek(self._fileno, self._offset + offset, os.SEEK_SET)
            rest = memoryview(octets)[offset:None if size is None else offset + size]
            while rest:
                rest = rest[os.write(self._fileno, rest):]
        finally:
            os.lseek(self._fileno, before, os.SEEK_SET)

    def find(self, sub, start=None, end=None):
        return self._open().find(sub, self._at if start is None else start, len(self) if end is None else end)

    def rfind(self, sub, start=None, end=None):
        return self._open().rfind(sub, self._at if start is None else start, len(self) if end is None else end)

    def madvise(self, option, start=0, length=None):
        """Whatever is meant to be done is done."""
        self._open()

    def move(self, dest, src, count):
        octets = self._writable()
        octets[dest:dest + count] = octets[src:src + count]

    def read(self, n=None):
        octets = self._open()
        n = len(octets) if n is None or n < 0 else n
        found = bytes(octets[self._at:self._at + n])
        self._at += len(found)
        return found

    def read_byte(self):
        found = self.read(1)
        if not found:
            raise ValueError("read byte out of range")
        return found[0]

    def readline(self):
        end = self._open().find(b"\n", self._at)
        return self.read(None if end < 0 else end + 1 - self._at)

    def resize(self, newsize):
        octets = self._writable()
        if self._is_kept:
            os.ftruncate(self._fileno, self._offset + newsize)
        del octets[newsize:]
        octets.extend(bytes(newsize - len(octets)))

    def seek(self, pos, whence=os.SEEK_SET):
        at = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: len(self)}[whence] + pos
        if not 0 <= at <= len(self):
            raise ValueError("seek out of range")
        self._at = at
        return at

    def seekable(self):
        return True

    def size(self):
        return len(self) if self._fileno == -1 else os.fstat(self._fileno).st_size

    def tell(self):
        return self._at

    def write(self, octets):
        into = self._writable()
        if self._at + len(octets) > len(into):
            raise ValueError("data out of range")
        into[self._at:self._at + len(octets)] = octets
        self._at += len(octets)
        return len(octets)

    def write_byte(self, byte):
        self.write(bytes((byte,)))
