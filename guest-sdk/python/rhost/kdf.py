"""hashlib.pbkdf2_hmac and hashlib.scrypt, which CPython has of OpenSSL alone.

Logins of Django, Werkzeug and many others end here. The extension module `_kdf`
has the loops; hashes that it has not are done with `hmac`, as PBKDF2 was before
OpenSSL.
"""

import hashlib
import hmac

from . import _kdf

# What OpenSSL takes where `maxmem` is not given.
_MAXMEM = 32 << 20
_MOST = (1 << 31) - 1
_FAST = frozenset(("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha512_224", "sha512_256",
                   "sha3_224", "sha3_256", "sha3_384", "sha3_512"))


def install():
    """Puts them into hashlib, unless it has its own."""
    for function in (pbkdf2_hmac, scrypt):
        if not hasattr(hashlib, function.__name__):
            function.__module__ = "hashlib"
            setattr(hashlib, function.__name__, function)


def pbkdf2_hmac(hash_name, password, salt, iterations, dklen=None):
    """Password based key derivation function 2 (PKCS #5 v2.0) with HMAC as pseudorandom function."""
    if not isinstance(hash_name, str):
        raise TypeError(f"pbkdf2_hmac() argument 'hash_name' must be str, not {type(hash_name).__name__}")
    password, salt = _octets(password, "password"), _octets(salt, "salt")
    if iterations < 1:
        raise ValueError("iteration value must be greater than 0.")
    if iterations > _MOST:
        raise OverflowError("iteration value is too great.")
    name = hash_name.lower().replace("-", "_").replace("sha_", "sha").replace("sha512/", "sha512_")
    if dklen is None:
        dklen = _new(name, hash_name)().digest_size
    if dklen < 1:
        raise ValueError("key length must be greater than 0.")
    if dklen > _MOST:
        raise OverflowError("key length is too great.")
    if name in _FAST:
        return _kdf.pbkdf2(name.encode(), password, salt, iterations, dklen)
    return _slowly(_new(name, hash_name), password, salt, iterations, dklen)


def scrypt(password, *, salt=None, n=None, r=None, p=None, maxmem=0, dklen=64):
    """scrypt password-based key derivation function."""
    password = _octets(password, "password")
    if salt is None:
        raise TypeError("salt is required")
    salt = _octets(salt, "salt")
    for name, value in (("n", n), ("r", r), ("p", p)):
        if value is None:
            raise TypeError(f"{name} is required and must be an unsigned int")
    if n < 2 or n & (n - 1):
        raise ValueError("n must be a power of 2.")
    if r < 1 or p < 1 or r * p >= 1 << 30 or n.bit_length() > 1 + 16 * r:
        raise ValueError("Invalid parameter combination for n, r, p, maxmem.")
    if not 0 <= maxmem <= _MOST:
        raise ValueError(f"maxmem must be positive and smaller than {_MOST}")
    if not 1 <= dklen <= _MOST:
        raise ValueError(f"dklen must be greater than 0 and smaller than {_MOST}")
    if 128 * r * (n + p + 2) > (maxmem or _MAXMEM):
        raise ValueError("Invalid parameter combination for n, r, p, maxmem.")
    return _kdf.scrypt(password, salt, n.bit_length() - 1, r, p, dklen)


def _octets(value, name):
    if isinstance(value, str):
        raise TypeError(f"a bytes-like object is required for {name}, not 'str'")
    return bytes(memoryview(value))


def _new(name, hash_name):
    new = getattr(hashlib, name, None)
    if name not in hashlib.algorithms_available or new is None or name.startswith("shake"):
        raise ValueError(f"unsupported hash type {hash_name}")
    return new


def _slowly(new, password, salt, iterations, dklen):
    keyed = hmac.new(password, digestmod=new)

    def random(message):
        copy = keyed.copy()
        copy.update(message)
        return copy.digest()

    key, block = b"", 0
    while len(key) < dklen:
        block += 1
        last = random(salt + block.to_bytes(4, "big"))
        all_of_them = int.from_bytes(last, "big")
        for _ in range(iterations - 1):
            last = random(last)
            all_of_them ^= int.from_bytes(last, "big")
        key += all_of_them.to_bytes(len(last), "big")
    return key[:dklen]
