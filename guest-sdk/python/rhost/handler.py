"""One request: the application is called, and what it returns is sent."""

import sys

from . import body, ending, report, sqlite, variables
from .body import InputError
from .gateway import Err, types
from .response import OutputError, Response


def handle(app, record, source, server):
    """Answers a request; raises the gateway's failure if it cannot."""
    try:
        _answer(app, record, source, server)
    except BaseException as error:
        # SystemExit too: it ends the request, as any other exception does.
        failure = _failure(error)
    else:
        return
    finally:
        # What lacks the end of a line would else come in the log of the next request
        # that this interpreter serves, or of none.
        sys.stdout.flush()
        sys.stderr.flush()
        if record.run_once:
            sqlite.release()
        ending.end()
    raise Err(failure)


def _answer(app, record, source, server):
    response = Response(server)
    environ = variables.environ(record, body.opened(source), sys.stderr)
    blocks = app(environ, response.start)
    try:
        _transmit(blocks, response)
    finally:
        close = getattr(blocks, "close", None)
        if close is not None:
            close()


def _transmit(blocks, response):
    if blocks is None or isinstance(blocks, (str, bytes)):
        given = type(blocks).__name__
        raise TypeError(f"the app returned a {given}; an iterable of bytes is asked for, as [b'...']")
    try:
        only = len(blocks) == 1
    except (TypeError, AttributeError, NotImplementedError):
        only = False
    write = response.write_only if only else response.write
    for block in blocks:
        write(block)
    response.finish()


def _failure(error):
    """What the gateway is told of the error that ended the request."""
    if isinstance(error, InputError):
        return types.Failure_Input(error.fault)
    if isinstance(error, OutputError):
        return types.Failure_Output(error.fault)
    return types.Failure_Exception(report.exc_info(error))
