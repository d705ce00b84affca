"""An exception as the gateway has it, for the log and the developer's page."""

import re
from traceback import TracebackException

from .gateway import types

# Where componentize-py mounts the directories of a build: /0, /1 and so on.
_MOUNT = re.compile(r"^/\d+/").sub


def exc_info(error):
    """The gateway's exc-info of `error`."""
    if error is None:
        return types.ExcInfo("NoneType", "exc_info without an exception", "")
    trace = TracebackException(type(error), error, _of_the_app(error.__traceback__), compact=True)
    _shorten(trace)
    return types.ExcInfo(_kind(type(error)), _text(_message(error)), _text("".join(trace.format())))


def _kind(kind):
    if kind.__module__ == "builtins":
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def _message(error):
    try:
        return str(error)
    except Exception as other:
        return f"(its text cannot be had: {type(other).__name__})"


def _text(text):
    """Without the lone surrogates that UTF-8 cannot carry."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _of_the_app(traceback):
    """Without the frames of this package that stand above the application's."""
    while traceback is not None and traceback.tb_frame.f_globals.get("__package__") == __package__:
        traceback = traceback.tb_next
    return traceback


def shortened(file):
    """A file as the application names it."""
    return _MOUNT("", file)


def _shorten(trace):
    """Names files as the application's directory has them."""
    left = [trace]
    while left:
        trace = left.pop()
        for frame in trace.stack:
            frame.filename = shortened(frame.filename)
        others = (trace.__cause__, trace.__context__, *(trace.exceptions or ()))
        left += [other for other in others if other is not None]
