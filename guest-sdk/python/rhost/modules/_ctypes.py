"""Native code: what `ctypes` is made of.

Types can be declared, and numbers take the width of theirs. There is no library to
load, and no function to call.
"""

import struct

from rhost.absent import Refused

__version__ = "1.1.0"
_WHY = "native code does not run in a sandbox; use a package that is pure Python"

RTLD_LOCAL, RTLD_GLOBAL = 0, 0x100
FUNCFLAG_CDECL, FUNCFLAG_PYTHONAPI, FUNCFLAG_USE_ERRNO, FUNCFLAG_USE_LASTERROR = 1, 4, 8, 16
SIZEOF_TIME_T = 8
_memmove_addr = _memset_addr = _string_at_addr = _cast_addr = _memoryview_at_addr = _wstring_at_addr = 0

# What has the width of a pointer.
_POINTERS = "PzZO"
_errno = 0


class ArgumentError(Exception):
    """An argument is of another type."""


class CField:
    """A member of a structure."""


class _Type(type):
    def __mul__(cls, length):
        if length < 0:
            raise ValueError(f"Array length must be >= 0, not {length}")
        return _Type(f"{cls.__name__}_Array_{length}", (Array,), {"_type_": cls, "_length_": length})

    __rmul__ = __mul__

    def from_param(cls, value):
        return value

    def from_buffer(cls, *args):
        raise Refused(f"{cls.__name__}.from_buffer()", _WHY)

    from_buffer_copy = from_address = in_dll = from_buffer


class _Data(metaclass=_Type):
    def __init__(self, *args, **kwargs):
        raise Refused(f"{type(self).__name__}()", _WHY)


class Structure(_Data):
    """A structure."""


class Union(_Data):
    """A union."""


class Array(_Data):
    """An array."""


class _Pointer(_Data):
    """A pointer."""

    def __init_subclass__(cls):
        pointed = cls.__dict__.get("_type_")
        if pointed is not None:
            pointed.__pointer_type__ = cls


class _SimpleCData(_Data):
    def __init__(self, value=None):
        kind = getattr(self, "_type_", "O")
        if value is None:
            value = {"c": b"\0", "u": "\0", "?": False}.get(kind, None if kind in _POINTERS else 0)
        self.value = value

    @property
    def value(self):
        return self._value

    @value.setter
    def value(self, value):
        kind = getattr(self, "_type_", "O")
        if kind in "bBhHiIlLqQ":
            if not isinstance(value, int):
                raise TypeError(f"an integer is required (got type {type(value).__name__})")
            bits = 8 * struct.calcsize(kind)
            value &= (1 << bits) - 1
            if kind.islower() and value >> (bits - 1):
                value -= 1 << bits
        elif kind in "fd":
            value = struct.unpack(kind, struct.pack(kind, value))[0]
        elif kind == "?":
            value = bool(value)
        self._value = value

    def __repr__(self):
        return f"{type(self).__name__}({self._value!r})"

    def __bool__(self):
        return bool(self._value)


class CFuncPtr(_Data):
    """A function, which is there to be declared."""

    def __init__(self, *args):
        self._named = args[0][0] if args and isinstance(args[0], tuple) else "a function"

    def __call__(self, *args, **kwargs):
        raise Refused(f"{self._named}()", _WHY)


def _size(kind):
    if isinstance(kind, type) and issubclass(kind, Array):
        return kind._length_ * _size(kind._type_)
    if isinstance(kind, type) and issubclass(kind, _SimpleCData):
        code = kind._type_
        if code in _POINTERS:
            return struct.calcsize("P")
        if code in "FDG" or code == "g":
            return {"F": 8, "D": 16, "G": 32, "g": 16}[code]
        return 4 if code == "u" else 2 if code == "v" else struct.calcsize(code)
    if isinstance(kind, type) and issubclass(kind, (_Pointer, CFuncPtr)):
        return struct.calcsize("P")
    if isinstance(kind, type) and issubclass(kind, (Structure, Union)):
        sizes = [_size(field[1]) for field in getattr(kind, "_fields_", ())]
        return max(sizes, default=0) if issubclass(kind, Union) else sum(sizes)
    raise TypeError("this type has no size")


def sizeof(thing):
    return _size(thing if isinstance(thing, type) else type(thing))


def alignment(thing):
    return min(sizeof(thing), 8) or 1


def dlopen(name, mode=RTLD_LOCAL):
    # CPython itself is asked for by None, for functions that are then not called.
    if name is None:
        return 0
    raise Refused(f"CDLL({name!r})", _WHY)


def get_errno():
    return _errno


def set_errno(value):
    global _errno
    before, _errno = _errno, value
    return before


def _refusing(name):
    def function(*args, **kwargs):
        raise Refused(f"{name}()", _WHY)

    return function


addressof, byref, resize, dlsym, dlclose, call_function, buffer_info, PyObj_FromPtr = map(
    _refusing, ("addressof", "byref", "resize", "dlsym", "dlclose", "call_function", "buffer_info", "PyObj_FromPtr"))
