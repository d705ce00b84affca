"""What a CGI script prints: a header block, and the body (RFC 3875, section 6)."""

import io
import re
import sys

# A header block beyond this has no end.
_HEAD = 1 << 16

_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*\Z", re.DOTALL).match

# The fields by which a header block is known (section 6.3).
_OF_CGI = {"content-type", "location", "status"}

_PHRASE = re.compile(r"[1-5][0-9][0-9]( .*)?\Z").match


class Redirect(Exception):
    """Location with a path alone: another request is to be answered (section 6.2.2)."""

    def __init__(self, target):
        super().__init__(target)
        self.target = target


class Printed(io.RawIOBase):
    """Standard output. What reaches it before the script's end is sent as it comes."""

    def __init__(self, start_response, script):
        self._start_response = start_response
        self._script = script
        self._waiting = bytearray()
        self._send = None
        self._redirect = None
        self._ended = False
        self._left = False

    def writable(self):
        return True

    def write(self, octets):
        octets = bytes(octets)
        if self._redirect is not None or self._left:
            return len(octets)
        if self._send is not None and not self._ended:
            self._send(octets)
        else:
            self._waiting += octets
            if self._send is None and not self._ended:
                self._begin(False)
        return len(octets)

    def ends(self):
        """Nothing comes after what is flushed now."""
        self._ended = True

    def leave(self):
        """Nothing counts any more: what a file still holds is written when it is forgotten."""
        self._left = True

    def finish(self, status):
        """The blocks that are left to send."""
        if self._redirect is None and self._send is None:
            self._begin(True, status)
        if self._redirect is not None:
            raise Redirect(self._redirect)
        rest, self._waiting = bytes(self._waiting), bytearray()
        return [rest]

    def _begin(self, is_all, status=None):
        """Starts the response if the header block is there."""
        if is_all and not self._waiting:
            how = f" (it ended with status {status})" if isinstance(status, int) and status else ""
            raise ValueError(f"{self._script} printed nothing{how}; print a header block, an empty line and a page")
        head = _split(bytes(self._waiting), is_all)
        if head is None:
            if len(self._waiting) > _HEAD:
                raise ValueError(f"{self._script} printed a header block without an end; end it with an empty line")
            return
        fields, length = head
        if fields is None:
            fields = [("Content-Type", self._guess())]
        del self._waiting[:length]
        self._start(fields, is_all)

    def _start(self, fields, is_all):
        first = {}
        for name, value in fields:
            if name.lower() in _OF_CGI and first.setdefault(name.lower(), value) != value:
                raise ValueError(f"{self._script} printed two fields {name} (RFC 3875, section 6.3); print one")
        status, location = first.get("status"), first.get("location")
        if location and location.startswith("/") and not location.startswith("//") and not status:
            self._redirect = location
            self._waiting.clear()
            return
        if status is None:
            status = "302 Found" if location else "200 OK"
        elif not _PHRASE(status):
            raise ValueError(f"{self._script} printed the status {status!r}; print three digits and a phrase")
        has_body = bool(self._waiting) or not (is_all or self._ended)
        if has_body and "content-type" not in first and "location" not in first:
            self._warn("a body without a Content-Type (RFC 3875, section 6.3.1); print one, as Content-Type: text/html")
        sent = [(name, value) for name, value in fields if name.lower() != "status"]
        self._send = self._start_response(status, sent)
        if self._waiting and not self._ended and not is_all:
            octets = bytes(self._waiting)
            self._waiting.clear()
            self._send(octets)

    def _guess(self):
        octets = bytes(self._waiting).lstrip(b"\xef\xbb\xbf \t\r\n")
        kind = "text/html" if octets.startswith(b"<") else "text/plain"
        self._warn(
            f"a page without a header block (RFC 3875, section 6.3.1); it is sent as {kind}. Print one before it: "
            f'print("Content-Type: {kind}; charset=utf-8"); print()'
        )
        return f"{kind}; charset=utf-8"

    def _warn(self, what):
        print(f"warning: {self._script} printed {what}", file=sys.stderr)


def _split(printed, is_all):
    """The fields, and the length of the block; None for those of a page without one, nothing while it is not told."""
    fields = []
    at = 0
    while True:
        end = printed.find(b"\n", at)
        if end < 0 and not is_all:
            # Of a line that is not whole only a field's name can be awaited.
            rest = printed[at:at + 200]
            return None if fields or re.match(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]*(:|\Z)", rest) else (None, 0)
        line = printed[at:end if end >= 0 else len(printed)].rstrip(b"\r")
        at = end + 1 if end >= 0 else len(printed)
        if not line:
            break
        field = _FIELD(line)
        if field is None:
            if _is_block(fields):
                raise ValueError(
                    f"the header block has the line {line[:80]!r}, which is no field; end the block with an empty line"
                )
            return None, 0
        fields.append((field[1].decode("ascii"), field[2].decode("latin-1")))
        if end < 0:
            break
    return (fields, at) if _is_block(fields) else (None, 0)


def _is_block(fields):
    return any(name.lower() in _OF_CGI for name, _ in fields)
