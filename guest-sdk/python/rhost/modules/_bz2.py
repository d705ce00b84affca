"""bzip2: what `bz2` is made of. It can be imported; nothing is packed or unpacked."""

from rhost.absent import refusing

_WHY = "bzip2 needs a native library, which no sandbox has; zlib and gzip are there"

BZ2Compressor = refusing("BZ2Compressor", _WHY)
BZ2Decompressor = refusing("BZ2Decompressor", _WHY)
