"""LZMA and XZ: what `lzma` is made of. It can be imported; nothing is packed or unpacked."""

from rhost.absent import refusing

_WHY = "LZMA needs a native library, which no sandbox has; zlib and gzip are there"

FORMAT_AUTO, FORMAT_XZ, FORMAT_ALONE, FORMAT_RAW = 0, 1, 2, 3
CHECK_NONE, CHECK_CRC32, CHECK_CRC64, CHECK_SHA256, CHECK_ID_MAX, CHECK_UNKNOWN = 0, 1, 4, 10, 15, 16
FILTER_LZMA1, FILTER_LZMA2, FILTER_DELTA, FILTER_X86 = 0x4000000000000001, 0x21, 3, 4
FILTER_POWERPC, FILTER_IA64, FILTER_ARM, FILTER_ARMTHUMB, FILTER_SPARC = 5, 6, 7, 8, 9
MODE_FAST, MODE_NORMAL = 1, 2
MF_HC3, MF_HC4, MF_BT2, MF_BT3, MF_BT4 = 3, 4, 18, 19, 20
PRESET_DEFAULT, PRESET_EXTREME = 6, 1 << 31


class LZMAError(Exception):
    """Call to liblzma failed."""


def is_check_supported(check_id, /):
    return False


LZMACompressor = refusing("LZMACompressor", _WHY)
LZMADecompressor = refusing("LZMADecompressor", _WHY)
_encode_filter_properties = refusing("_encode_filter_properties", _WHY)
_decode_filter_properties = refusing("_decode_filter_properties", _WHY)
