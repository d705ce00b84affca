"""What is done with an application while it is built: requests, and its own warm-up.

What a first request imports, compiles and caches is then part of the snapshot.
An instance that serves has no files to import from but those that it is lent,
and Python imports a good deal late: Flask's first request wants the codec
`idna`.
"""

import sys
import time

from .gateway import Err, types
from .handler import handle
from .locate import locate


# An answer that goes on for longer, in octets or in seconds, is left: some never end.
_OCTETS = 1 << 20
_SECONDS = 5


class Server:
    """A server whose client leaves when it has seen enough."""

    def __init__(self):
        self.status = None
        self._left = _OCTETS
        self._until = time.monotonic() + _SECONDS

    def start_response(self, status, fields, exc_info):
        self.status = status
        return self

    def write(self, block):
        self._left -= len(block)
        if self._left < 0 or time.monotonic() > self._until:
            raise Err(types.OutputError_Closed())


class NoBody:
    """The body of a request without one."""

    def read(self, size):
        return b""


class Failed(Exception):
    """The application's own warm-up ended with an exception, which is the cause."""


def is_request(what):
    """Whether it is one, as `/` or `POST /form`; if not, it is a function of the application's own."""
    return "/" in what


def run(app, what):
    """Makes a request, or calls the application's own `module:function`."""
    if is_request(what):
        return ask(app, what)
    module, _, name = what.partition(":")
    function = locate(module, name)
    before = set(sys.modules)
    try:
        function(app)
    except Exception as error:
        raise Failed(what) from error
    return {"function": what, "modules": _loaded_since(before)}


def _loaded_since(before):
    return sorted(name for name in sys.modules if name not in before)


def ask(app, request):
    """Makes one request, as `/` or `POST /form`; says how it went."""
    method, _, target = request.rpartition(" ")
    record = _record(method or "GET", target)
    server = Server()
    before = set(sys.modules)
    try:
        handle(app, record, NoBody(), server)
        error = None
    except Err as failed:
        error = failed.value.value
    loaded = _loaded_since(before)
    said = {"request": f"{record.request_method} {target}", "status": server.status, "modules": loaded}
    if isinstance(error, types.ExcInfo):
        said["error"] = f"{error.kind}: {error.message}"
        said["traceback"] = error.traceback
    return said


def _record(method, target):
    path, _, query = target.partition("?")
    return types.Environ(
        request_method=method,
        script_name="",
        path_info=path.encode(),
        query_string=query,
        request_uri=target,
        content_type=None,
        content_length=None,
        server_name="localhost",
        server_port=80,
        server_protocol="HTTP/1.1",
        server_software="rhost",
        url_scheme="http",
        remote_addr="127.0.0.1",
        remote_port=0,
        headers=[("host", b"localhost"), ("user-agent", b"rhost-warm-up"), ("accept", b"*/*")],
        multithread=False,
        multiprocess=True,
        run_once=True,
        request_id="warm-up",
        extensions=[],
    )
