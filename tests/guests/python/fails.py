"""Programs that break PEP 3333, or themselves, in one way each."""

import sys

PLAIN = [("Content-Type", "text/plain")]


def raise_(start_response):
    raise ValueError("raised in the app")


def raise_late(start_response):
    start_response("200 OK", PLAIN)
    yield b"one"
    yield b"two"
    raise ValueError("raised late")


def exit_(start_response):
    sys.exit(3)


def none(start_response):
    start_response("200 OK", PLAIN)


def text(start_response):
    start_response("200 OK", PLAIN)
    return ["text"]


def unstarted(start_response):
    return [b"x"]


def twice(start_response):
    start_response("200 OK", PLAIN)
    try:
        start_response("201 Created", PLAIN)
    except AssertionError:
        pass
    return [b"x"]


def replaced(start_response):
    start_response("200 OK", PLAIN)
    yield b""
    try:
        raise KeyError("replaced")
    except KeyError:
        start_response("503 Busy", [("X-Error", "yes")], sys.exc_info())
    yield b"sorry\n"


def too_late(start_response):
    start_response("200 OK", PLAIN)
    for _ in range(100):
        yield b"x" * 1000
    try:
        raise KeyError("too late")
    except KeyError:
        start_response("503 Busy", [], sys.exc_info())
    yield b"never"


def hop_by_hop(start_response):
    start_response("200 OK", [("Connection", "close")])
    return [b"x"]


def newline(start_response):
    start_response("200 OK", [("X-Split", "a\r\nSet-Cookie: b")])
    return [b"x"]


def status(start_response):
    start_response("99 Low", PLAIN)
    return [b"x"]


def recursion(start_response):
    return recursion(start_response)


def forever(start_response):
    while True:
        pass


CASES = {name.rstrip("_"): case for name, case in list(globals().items()) if callable(case)}


def app(environ, start_response):
    return CASES[environ["PATH_INFO"].strip("/").replace("-", "_")](start_response)
