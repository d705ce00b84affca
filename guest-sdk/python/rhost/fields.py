"""Status and fields of a response: what may be sent (PEP 3333, RFC 9110)."""

import re

# Of the connection, and so the server's. RFC 2616, section 13.5.1, which PEP
# 3333 names, and what the gateway adds to it.
HOP_BY_HOP = frozenset(
    "connection keep-alive proxy-authenticate proxy-authorization proxy-connection "
    "te trailer trailers transfer-encoding upgrade".split()
)

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]").search


def code(status):
    """The code of a status such as '200 OK'."""
    if not isinstance(status, str):
        raise TypeError(f"the status is {status!r}; give a string, as '200 OK'")
    digits = status[:3]
    if not (len(digits) == 3 and digits.isascii() and digits.isdigit() and status[3:4] in ("", " ")):
        raise ValueError(f"the status is {status!r}; give three digits, a space and a phrase, as '200 OK'")
    if _CONTROL(status):
        raise ValueError(f"the status {status!r} has a control character; leave it out")
    number = int(digits)
    if not 200 <= number <= 599:
        raise ValueError(f"the status is {status!r}; a response has one from 200 to 599")
    return number


def checked(headers):
    """The fields as the gateway takes them: names, and values as octets."""
    if not isinstance(headers, list):
        raise TypeError(f"the headers are a {type(headers).__name__}; give a list of (name, value)")
    fields = []
    length = None
    for item in headers:
        try:
            name, value = item
        except (TypeError, ValueError):
            raise TypeError(f"the header {item!r} is not a tuple (name, value)") from None
        field = _field(name, value)
        if field[0].lower() == "content-length":
            if not field[1].isdigit() or length not in (None, field[1]):
                raise ValueError(f"the header Content-Length is {value!r}; give one number of octets")
            length = field[1]
        fields.append(field)
    return fields


def _field(name, value):
    if not isinstance(name, str) or not isinstance(value, str):
        raise TypeError(f"the header {name!r}: {value!r} is not made of strings")
    if not _TOKEN(name):
        raise ValueError(f"the header's name {name!r} is not a token; letters, digits and hyphens are")
    if name.lower() in HOP_BY_HOP:
        raise ValueError(f"the header {name} is hop-by-hop, and so the server's; leave it out")
    # Some frameworks put a blank before a value; a parser drops it anyway.
    value = value.strip(" \t")
    if _CONTROL(value):
        raise ValueError(f"the header {name} has a control character in {value!r}; leave it out")
    try:
        return name, value.encode("latin-1")
    except UnicodeEncodeError:
        raise ValueError(
            f"the header {name} has a character beyond ISO 8859-1 in {value!r}; encode it (RFC 8187)"
        ) from None


def length(fields):
    """Whether a Content-Length is among them."""
    return any(name.lower() == "content-length" for name, _ in fields)
