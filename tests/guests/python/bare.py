"""Programs that PEP 3333 allows, without any framework."""

import io
import sys

PLAIN = [("Content-Type", "text/plain")]


def function(environ, start_response):
    start_response("200 OK", PLAIN)
    return [b"Hello from a function\n"]


class Class:
    def __init__(self, environ, start_response):
        self.start = start_response

    def __iter__(self):
        self.start("200 OK", PLAIN)
        yield b"Hello from "
        yield b"a class\n"


def iterator(environ, start_response):
    start_response("200 OK", PLAIN)
    return iter([b"Hello from ", b"an iterator\n"])


def generator(environ, start_response):
    start_response("200 OK", PLAIN)
    yield b""
    yield b"Hello from "
    yield b"a generator\n"


def write(environ, start_response):
    send = start_response("200 OK", PLAIN)
    send(b"Hello ")
    send(b"from write")
    return [b"\n"]


def file(environ, start_response):
    start_response("200 OK", PLAIN)
    return environ["wsgi.file_wrapper"](io.BytesIO(b"x" * 100_000), 30_000)


def echo(environ, start_response):
    environ["wsgi.errors"].write("echoing\n")
    body = environ["wsgi.input"].read(5) + environ["wsgi.input"].readline()
    body += b"".join(environ["wsgi.input"])
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return [body[:5], body[5:]]


def lines(environ, start_response):
    body = environ["wsgi.input"]
    start_response("200 OK", PLAIN)
    return [repr([body.readline(), body.readlines(), body.read()]).encode()]


class Closing:
    def __init__(self, blocks):
        self.blocks = iter(blocks)

    def __iter__(self):
        return self.blocks

    def close(self):
        print("closed", file=sys.stderr)


def closing(environ, start_response):
    start_response("200 OK", PLAIN)
    if environ["PATH_INFO"] == "/late":
        return Closing(block if block else 1 // 0 for block in (b"one", b"two", b""))
    return Closing([b"one"])


def stream(environ, start_response):
    """Never ends by itself, and asks for nothing."""
    start_response("200 OK", PLAIN)
    while True:
        yield b"x" * 1000
