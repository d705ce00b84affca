"""start_response and write: the response in the making.

Status and fields are kept until the first block that is not empty, or the end,
as PEP 3333 asks; the gateway's own start-response is called then.
"""

from . import fields, report
from .gateway import Err, types


class OutputError(ConnectionError):
    """Nobody takes the response any longer. `fault` is the gateway's reason."""

    def __init__(self, message, fault):
        super().__init__(message)
        self.fault = fault


class Response:
    """One response. `start` is the start_response that an application gets."""

    def __init__(self, server):
        self._server = server
        self._code = None
        self._fields = []
        self._exc_info = None
        self._output = None
        # An error after which no answer counts, whatever the application does.
        self.fatal = None

    def start(self, status, response_headers, exc_info=None):
        """PEP 3333's start_response; returns its write callable."""
        if self._code is not None and not exc_info:
            self.fatal = AssertionError("start_response was called a second time, without exc_info")
            raise self.fatal
        try:
            # The octets may still be on this side, or the server's: it knows.
            code, checked = fields.code(status), fields.checked(response_headers)
            cause = report.exc_info(exc_info[1]) if exc_info else None
            if self._output is not None:
                self._begin(code, checked, cause, exc_info[1])
            self._code, self._fields, self._exc_info = code, checked, cause
        finally:
            # The traceback refers to this frame.
            exc_info = None
        return self.write

    def write(self, block):
        """Sends a block, and before the first the status and the fields."""
        if self.fatal is not None:
            raise self.fatal
        if not isinstance(block, bytes):
            raise TypeError(f"the app gave a {type(block).__name__} as a block of its body; blocks are bytes")
        if self._code is None:
            raise AssertionError("the app wrote before it called start_response")
        if not block:
            return
        if self._output is None:
            self._begin(self._code, self._fields, self._exc_info)
        try:
            self._output.write(block)
        except Err as error:
            raise _refusal(error.value) from None

    def write_only(self, block):
        """Sends the one block that there is, whose length is thus the body's."""
        if self._output is None and self._code not in (None, 204, 205, 304) and isinstance(block, bytes):
            if block and not fields.length(self._fields):
                self._fields = [*self._fields, ("Content-Length", b"%d" % len(block))]
        self.write(block)

    def finish(self):
        """Ends the body; one without a block begins here."""
        if self.fatal is not None:
            raise self.fatal
        if self._code is None:
            raise AssertionError("the app returned without having called start_response")
        if self._output is None:
            self._begin(self._code, self._fields, self._exc_info)

    def _begin(self, code, checked, cause, error=None):
        try:
            self._output = self._server.start_response(code, checked, cause)
        except Err as refused:
            if error is not None and isinstance(refused.value, types.StartError_HeadersSent):
                raise error from None
            raise ValueError(f"the server refuses the response: {refused.value}") from None


def _refusal(fault):
    if isinstance(fault, types.OutputError_TooLarge):
        return OutputError(f"the response is larger than {fault.value} octets", fault)
    return OutputError("the client takes no more of the response", fault)
