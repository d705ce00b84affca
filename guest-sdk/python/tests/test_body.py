"""wsgi.input (conformance 17-23)."""

import unittest

import rhost
from rhost.gateway import types

from .gateway import Body, serve


def reading(read, body, **changes):
    """What `read` makes of the input, and the server afterwards."""
    got = []

    def app(environ, start_response):
        got.append(read(environ["wsgi.input"]))
        start_response("200 OK", [])
        return []

    return got, serve(app, body, **changes)


class Reading(unittest.TestCase):
    PIECES = [b"one\ntw", b"o\n", b"\n", b"thr", b"ee"]
    ALL = b"one\ntwo\n\nthree"

    def check(self, read, expected):
        got, server = reading(read, Body(self.PIECES))
        self.assertIsNone(server.failure)
        self.assertEqual(got, [expected])

    def test_read(self):
        self.check(lambda body: body.read(), self.ALL)
        self.check(lambda body: body.read(-1), self.ALL)
        self.check(lambda body: body.read(None), self.ALL)
        self.check(lambda body: (body.read(5), body.read(0), body.read(100), body.read(1)),
                   (self.ALL[:5], b"", self.ALL[5:], b""))

    def test_readline(self):
        self.check(lambda body: [body.readline() for _ in range(6)],
                   [b"one\n", b"two\n", b"\n", b"three", b"", b""])
        self.check(lambda body: [body.readline(2), body.readline(9), body.readline(-1)], [b"on", b"e\n", b"two\n"])

    def test_readlines_and_iteration(self):
        lines = [b"one\n", b"two\n", b"\n", b"three"]
        self.check(lambda body: body.readlines(), lines)
        self.check(lambda body: body.readlines(5), lines[:2])
        self.check(list, lines)
        self.check(lambda body: (next(iter(body)), body.read()), (b"one\n", self.ALL[4:]))

    def test_nothing_is_read_that_is_not_asked_for(self):
        body = Body(self.PIECES)
        reading(lambda body: body.read(0), body)
        self.assertEqual(body.asked, [])

    def test_a_body_is_not_kept(self):
        # A hundred blocks are read, never more than a buffer ahead.
        body = Body([b"x" * 1000] * 100)

        def read(file):
            sizes = []
            while block := file.read(500):
                sizes.append(len(block))
                self.assertGreaterEqual(len(body.pieces), 100 - (sum(sizes) // 1000) - 34)
            return sum(sizes)

        self.assertEqual(reading(read, body)[0], [100_000])

    def test_what_is_left_unread_is_left(self):
        body = Body([b"x" * 200_000, b"more"])
        reading(lambda body: body.read(1), body)
        self.assertEqual(body.pieces[-1], b"more")


class Faults(unittest.TestCase):
    def test_each_is_an_exception_that_says_which(self):
        for fault, kind, also in (
            (types.InputError_Incomplete(), rhost.IncompleteBody, ConnectionError),
            (types.InputError_TooLarge(7), rhost.BodyTooLarge, OSError),
            (types.InputError_TimedOut(), rhost.BodyTimedOut, TimeoutError),
        ):
            for read in (lambda b: b.read(), lambda b: b.read(100), lambda b: b.readline(), lambda b: list(b)):
                _, server = reading(read, Body([b"cut"], fault))
                self.assertEqual(server.failure, types.Failure_Input(fault), kind)
            caught = []

            def app(environ, start_response):
                try:
                    environ["wsgi.input"].read()
                except kind as error:
                    caught.append(error)
                start_response("400 Bad Request", [])
                return [b"cut"]

            server = serve(app, Body([b"cut"], fault))
            self.assertIsInstance(caught[0], also)
            self.assertIsInstance(caught[0], rhost.InputError)
            self.assertEqual((server.failure, server.status, server.body), (None, 400, b"cut"))


if __name__ == "__main__":
    unittest.main()
