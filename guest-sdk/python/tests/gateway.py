"""A gateway in memory, with the rules of docs/gateway.md that an adapter can meet."""

from contextlib import redirect_stderr
from io import StringIO

from rhost.gateway import Err, types
from rhost.handler import handle


class Body:
    """An input that comes in the pieces given, and then ends or fails."""

    def __init__(self, pieces=(), fault=None):
        self.pieces = list(pieces)
        self.fault = fault
        self.asked = []

    def read(self, size):
        self.asked.append(size)
        if not self.pieces:
            if self.fault is not None:
                raise Err(self.fault)
            return b""
        piece = self.pieces.pop(0)
        if len(piece) > size:
            self.pieces.insert(0, piece[size:])
        return piece[:size]


class Output:
    def __init__(self, server):
        self.server = server

    def write(self, block):
        server = self.server
        if server.output is not self:
            raise Err(types.OutputError_Superseded())
        if server.closes_after is not None and len(server.blocks) >= server.closes_after:
            raise Err(types.OutputError_Closed())
        server.events.append(block)
        server.blocks.append(block)


class Server:
    """Notes what reaches it. `holds` blocks stay back, and can be replaced."""

    def __init__(self, holds=0, closes_after=None, refuses=None):
        self.holds = holds
        self.closes_after = closes_after
        self.refuses = refuses
        self.status = self.fields = self.exc_info = self.output = None
        self.blocks = []
        self.events = []
        self.failure = None

    def start_response(self, status, fields, exc_info):
        if self.refuses is not None:
            raise Err(self.refuses)
        if self.output is not None:
            if exc_info is None:
                raise Err(types.StartError_AlreadyStarted())
            if len(self.blocks) > self.holds:
                raise Err(types.StartError_HeadersSent())
        self.status, self.fields, self.exc_info = status, fields, exc_info
        self.blocks = []
        self.events.append(status)
        self.output = Output(self)
        return self.output

    @property
    def body(self):
        return b"".join(self.blocks)

    def field(self, name):
        return [value for field, value in self.fields if field.lower() == name]


def record(**changes):
    """The environ of a plain GET, with `changes`."""
    facts = dict(
        request_method="GET", script_name="", path_info=b"/", query_string="", request_uri="/",
        content_type=None, content_length=None, server_name="example.test", server_port=8000,
        server_protocol="HTTP/1.1", server_software="rhost/0.1.0", url_scheme="http",
        remote_addr="192.0.2.1", remote_port=4711, headers=[("host", b"example.test:8000")],
        multithread=False, multiprocess=True, run_once=True, request_id="cafe", extensions=[],
    )
    return types.Environ(**(facts | changes))


def serve(app, body=None, server=None, **changes):
    """One request to `app`. The server has the answer, and the failure if there was one."""
    server = server or Server()
    errors = StringIO()
    with redirect_stderr(errors):
        try:
            handle(app, record(**changes), body or Body(), server)
        except Err as error:
            server.failure = error.value
    server.errors = errors.getvalue()
    return server
