"""TLS: what `ssl` is made of.

Contexts can be made and set up, as requests and urllib3 do when they are imported.
Nothing can be encrypted with them.
"""

import os

from rhost.absent import Refused

_WHY = "TLS needs OpenSSL, which no sandbox has; the server speaks TLS to clients, and a program reaches others by what it is lent"

OPENSSL_VERSION_NUMBER = 0x30000000
OPENSSL_VERSION_INFO = _OPENSSL_API_VERSION = (3, 0, 0, 0, 0)
OPENSSL_VERSION = "OpenSSL 3.0.0 (not there)"
_DEFAULT_CIPHERS = "@SECLEVEL=2:ECDH+AESGCM:ECDH+CHACHA20:ECDH+AES:DHE+AES:!aNULL:!eNULL:!aDSS:!SHA1:!AESCCM"

HAS_SNI = HAS_ECDH = HAS_ALPN = HAS_TLSv1_2 = HAS_TLSv1_3 = HAS_TLS_UNIQUE = True
HAS_NPN = HAS_SSLv2 = HAS_SSLv3 = HAS_TLSv1 = HAS_TLSv1_1 = HAS_PSK = HAS_PHA = HAS_PSK_TLS13 = False

PROTOCOL_SSLv23 = PROTOCOL_TLS = 2
PROTOCOL_TLSv1, PROTOCOL_TLSv1_1, PROTOCOL_TLSv1_2 = 3, 4, 5
PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER = 16, 17
PROTO_MINIMUM_SUPPORTED, PROTO_MAXIMUM_SUPPORTED = -2, -1
PROTO_SSLv3, PROTO_TLSv1, PROTO_TLSv1_1, PROTO_TLSv1_2, PROTO_TLSv1_3 = 768, 769, 770, 771, 772

CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED = 0, 1, 2
VERIFY_DEFAULT, VERIFY_CRL_CHECK_LEAF, VERIFY_CRL_CHECK_CHAIN = 0, 0x4, 0xC
VERIFY_X509_STRICT, VERIFY_ALLOW_PROXY_CERTS = 0x20, 0x40
VERIFY_X509_TRUSTED_FIRST, VERIFY_X509_PARTIAL_CHAIN = 0x8000, 0x80000
ENCODING_PEM, ENCODING_DER = 1, 2
HOSTFLAG_ALWAYS_CHECK_SUBJECT, HOSTFLAG_NO_WILDCARDS, HOSTFLAG_NO_PARTIAL_WILDCARDS = 1, 2, 4
HOSTFLAG_MULTI_LABEL_WILDCARDS, HOSTFLAG_SINGLE_LABEL_SUBDOMAINS, HOSTFLAG_NEVER_CHECK_SUBJECT = 8, 16, 32

OP_ALL = 0x80000050
OP_NO_SSLv2 = OP_SINGLE_DH_USE = OP_SINGLE_ECDH_USE = 0
OP_IGNORE_UNEXPECTED_EOF, OP_LEGACY_SERVER_CONNECT, OP_NO_TICKET = 1 << 7, 1 << 2, 1 << 14
OP_NO_COMPRESSION, OP_ENABLE_MIDDLEBOX_COMPAT, OP_CIPHER_SERVER_PREFERENCE = 1 << 17, 1 << 20, 1 << 22
OP_NO_SSLv3, OP_NO_TLSv1, OP_NO_TLSv1_2, OP_NO_TLSv1_1 = 1 << 25, 1 << 26, 1 << 27, 1 << 28
OP_NO_TLSv1_3, OP_NO_RENEGOTIATION = 1 << 29, 1 << 30
OP_ENABLE_KTLS = 1 << 3

SSL_ERROR_SSL, SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE, SSL_ERROR_WANT_X509_LOOKUP = 1, 2, 3, 4
SSL_ERROR_SYSCALL, SSL_ERROR_ZERO_RETURN, SSL_ERROR_WANT_CONNECT, SSL_ERROR_EOF = 5, 6, 7, 8
SSL_ERROR_INVALID_ERROR_CODE = 10

# RFC 8446, section 6, and those before it.
for _number, _name in {
    0: "CLOSE_NOTIFY", 10: "UNEXPECTED_MESSAGE", 20: "BAD_RECORD_MAC", 22: "RECORD_OVERFLOW",
    30: "DECOMPRESSION_FAILURE", 40: "HANDSHAKE_FAILURE", 42: "BAD_CERTIFICATE", 43: "UNSUPPORTED_CERTIFICATE",
    44: "CERTIFICATE_REVOKED", 45: "CERTIFICATE_EXPIRED", 46: "CERTIFICATE_UNKNOWN", 47: "ILLEGAL_PARAMETER",
    48: "UNKNOWN_CA", 49: "ACCESS_DENIED", 50: "DECODE_ERROR", 51: "DECRYPT_ERROR", 70: "PROTOCOL_VERSION",
    71: "INSUFFICIENT_SECURITY", 80: "INTERNAL_ERROR", 90: "USER_CANCELLED", 100: "NO_RENEGOTIATION",
    110: "UNSUPPORTED_EXTENSION", 111: "CERTIFICATE_UNOBTAINABLE", 112: "UNRECOGNIZED_NAME",
    113: "BAD_CERTIFICATE_STATUS_RESPONSE", 114: "BAD_CERTIFICATE_HASH_VALUE", 115: "UNKNOWN_PSK_IDENTITY",
}.items():
    globals()[f"ALERT_DESCRIPTION_{_name}"] = _number

err_codes_to_names, err_names_to_codes, lib_codes_to_names = {}, {}, {}


class SSLError(OSError):
    """An error occurred in the SSL implementation."""

    library = reason = None


class SSLZeroReturnError(SSLError):
    """SSL/TLS session closed cleanly."""


class SSLWantReadError(SSLError):
    """Non-blocking SSL socket needs to read more data."""


class SSLWantWriteError(SSLError):
    """Non-blocking SSL socket needs to write more data."""


class SSLSyscallError(SSLError):
    """System error when attempting SSL operation."""


class SSLEOFError(SSLError):
    """SSL/TLS connection terminated abruptly."""


class SSLCertVerificationError(SSLError, ValueError):
    """A certificate could not be verified."""


class SSLSession:
    """A session, of which there is none."""


class Certificate:
    """A certificate, of which there is none."""


class MemoryBIO:
    """Octets on their way."""

    def __init__(self):
        self._octets = bytearray()
        self.eof = False

    @property
    def pending(self):
        return len(self._octets)

    def read(self, size=-1):
        size = len(self._octets) if size < 0 else size
        octets = bytes(self._octets[:size])
        del self._octets[:size]
        return octets

    def write(self, octets):
        self._octets += octets
        return len(octets)

    def write_eof(self):
        self.eof = True


class _SSLSocket:
    """One that is encrypted, of which there is none."""


def _setting(name, initial):
    """An attribute that is a property, as those of a class in C are."""
    def get(self):
        return self._settings.get(name, initial)

    def put(self, value):
        self._settings[name] = value

    return property(get, put)


class _SSLContext:
    def __new__(cls, protocol=PROTOCOL_TLS, *args, **kwargs):
        self = super().__new__(cls)
        is_client = protocol == PROTOCOL_TLS_CLIENT
        self._settings = {
            "protocol": protocol,
            "check_hostname": is_client,
            "verify_mode": CERT_REQUIRED if is_client else CERT_NONE,
        }
        return self

    protocol = _setting("protocol", PROTOCOL_TLS)
    options = _setting("options", OP_ALL | OP_NO_SSLv3 | OP_NO_COMPRESSION)
    verify_flags = _setting("verify_flags", VERIFY_X509_TRUSTED_FIRST)
    verify_mode = _setting("verify_mode", CERT_NONE)
    check_hostname = _setting("check_hostname", False)
    minimum_version = _setting("minimum_version", PROTO_TLSv1_2)
    maximum_version = _setting("maximum_version", PROTO_MAXIMUM_SUPPORTED)
    post_handshake_auth = _setting("post_handshake_auth", False)
    keylog_filename = _setting("keylog_filename", None)
    sni_callback = _setting("sni_callback", None)
    num_tickets = _setting("num_tickets", 2)
    security_level = _setting("security_level", 2)
    _host_flags = _setting("_host_flags", HOSTFLAG_NO_PARTIAL_WILDCARDS)
    _msg_callback = _setting("_msg_callback", None)

    def set_ciphers(self, ciphers):
        """Which are named does not matter: none is used."""

    def _set_alpn_protocols(self, protocols):
        self._settings["alpn"] = bytes(protocols)

    def set_default_verify_paths(self):
        """None are there."""

    def load_verify_locations(self, cafile=None, capath=None, cadata=None):
        """The files have to be there, and are not read."""
        if cafile is None and capath is None and cadata is None:
            raise TypeError("cafile, capath and cadata cannot be all omitted")
        for path in (cafile, capath):
            if path is not None:
                os.stat(path)

    def load_cert_chain(self, certfile, keyfile=None, password=None):
        """As those."""
        os.stat(certfile)

    def load_dh_params(self, path):
        """As those."""
        os.stat(path)

    def set_ecdh_curve(self, name):
        """As ciphers."""

    def cert_store_stats(self):
        return {"x509": 0, "crl": 0, "x509_ca": 0}

    def get_ca_certs(self, binary_form=False):
        return []

    def get_ciphers(self):
        return []

    def session_stats(self):
        return dict.fromkeys(("number", "connect", "accept", "hits", "misses", "timeouts", "cache_full"), 0)

    def _wrap_socket(self, *args, **kwargs):
        raise Refused("SSLContext.wrap_socket()", _WHY)

    def _wrap_bio(self, *args, **kwargs):
        raise Refused("SSLContext.wrap_bio()", _WHY)


_OBJECTS = (
    (129, "serverAuth", "TLS Web Server Authentication", "1.3.6.1.5.5.7.3.1"),
    (130, "clientAuth", "TLS Web Client Authentication", "1.3.6.1.5.5.7.3.2"),
)


def txt2obj(txt, name=False):
    for found in _OBJECTS:
        if txt == found[3] or name and txt in found[1:3]:
            return found
    raise ValueError(f"unknown object '{txt[:100]}'")


def nid2obj(nid):
    for found in _OBJECTS:
        if nid == found[0]:
            return found
    raise ValueError(f"unknown NID {nid}")


def get_default_verify_paths():
    return "SSL_CERT_FILE", "/etc/ssl/cert.pem", "SSL_CERT_DIR", "/etc/ssl/certs"


def RAND_status():
    return True


def RAND_add(string, entropy):
    """The system's is as good as it gets."""


def RAND_bytes(n):
    return os.urandom(n)


def _test_decode_cert(path):
    raise Refused("_test_decode_cert()", _WHY)
