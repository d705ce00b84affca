"""start_response, write and the iterable (conformance 25-41)."""

import sys
import unittest

from rhost.gateway import types

from .gateway import Server, serve


class Closing:
    """An iterable that counts how often it is closed."""

    def __init__(self, blocks, fails=None):
        self.blocks, self.fails, self.closed = blocks, fails, 0

    def __iter__(self):
        yield from self.blocks
        if self.fails:
            raise self.fails

    def close(self):
        self.closed += 1


def returning(blocks, status="200 OK", headers=()):
    def app(environ, start_response):
        start_response(status, list(headers))
        return blocks

    return app


class Blocks(unittest.TestCase):
    def test_any_iterable(self):
        class Indexed:
            def __getitem__(self, index):
                return (b"a", b"b")[index]

        class Class:
            def __init__(self, environ, start_response):
                self.start_response = start_response

            def __iter__(self):
                self.start_response("200 OK", [])
                yield b"a"
                yield b"b"

        def generator(environ, start_response):
            start_response("200 OK", [])
            yield b"a"
            yield b"b"

        apps = [returning(blocks) for blocks in ([b"a", b"b"], (b"a", b"b"), iter([b"a", b"b"]), Indexed())]
        for app in [*apps, Class, generator]:
            server = serve(app)
            self.assertIsNone(server.failure, app)
            self.assertEqual(server.events, [200, b"a", b"b"])

    def test_headers_wait_for_a_block(self):
        order = []

        class Watched(Server):
            def start_response(self, *args):
                order.append("sent")
                return super().start_response(*args)

        def app(environ, start_response):
            start_response("200 OK", [])
            for block in (b"", b"", b"x", b""):
                order.append(block)
                yield block
            order.append("end")

        server = serve(app, server=Watched())
        self.assertEqual(order, [b"", b"", b"x", "sent", b"", "end"])
        self.assertEqual(server.blocks, [b"x"])

    def test_without_a_block_the_headers_are_sent(self):
        for blocks in ([], [b""], iter(())):
            server = serve(returning(blocks, "204 No Content", [("X-A", "1")]))
            self.assertEqual((server.status, server.fields, server.blocks), (204, [("X-A", b"1")], []))

    def test_length_of_a_single_block(self):
        self.assertEqual(serve(returning([b"four"])).field("content-length"), [b"4"])
        self.assertEqual(serve(returning([b"four"]), request_method="HEAD").field("content-length"), [b"4"])
        own = [("content-length", "9")]
        self.assertEqual(serve(returning([b"four"], headers=own)).field("content-length"), [b"9"])
        for app in (returning([b"a", b"b"]), returning(iter([b"a"])), returning([b""]),
                    returning([b"x"], "304 Not Modified")):
            self.assertEqual(serve(app).field("content-length"), [])

    def test_blocks_that_are_none(self):
        for blocks, said in ((["text"], "str"), (None, "NoneType"), ("text", "str"), (b"octets", "bytes"),
                             ([1], "int"), ([bytearray(b"x")], "bytearray")):
            server = serve(returning(blocks))
            self.assertIn(said, server.failure.value.message)
            self.assertIsNone(server.status)

    def test_write(self):
        def app(environ, start_response):
            write = start_response("200 OK", [])
            write(b"a")
            write(b"")
            write(b"b")
            return [b"c"]

        server = serve(app)
        self.assertEqual(server.events, [200, b"a", b"b", b"c"])
        self.assertEqual(server.field("content-length"), [])

    def test_file_wrapper(self):
        class File:
            closed = 0

            def __init__(self):
                self.left = [b"one", b"two", b""]

            def read(self, size):
                assert size == 3
                return self.left.pop(0)

            def close(self):
                self.closed += 1

        file = File()

        def app(environ, start_response):
            start_response("200 OK", [])
            return environ["wsgi.file_wrapper"](file, 3)

        self.assertEqual(serve(app).blocks, [b"one", b"two"])
        self.assertEqual(file.closed, 1)


class Close(unittest.TestCase):
    def test_once_on_every_way_out(self):
        left = Server(closes_after=1)
        for blocks, server, failure in (
            (Closing([b"a"]), None, None),
            (Closing([]), None, None),
            (Closing([b"a"], ValueError("x")), None, types.Failure_Exception),
            (Closing([], SystemExit(1)), None, types.Failure_Exception),
            (Closing(["text"]), None, types.Failure_Exception),
            (Closing([b"a", b"b"]), left, types.Failure_Output),
        ):
            answer = serve(returning(blocks), server=server)
            self.assertEqual(blocks.closed, 1)
            self.assertEqual(type(answer.failure), failure or type(None))
        self.assertEqual(left.failure, types.Failure_Output(types.OutputError_Closed()))

    def test_an_error_while_closing_is_reported_with_what_was_before(self):
        class Bad(Closing):
            def close(self):
                raise KeyError("while closing")

        failure = serve(returning(Bad([], ValueError("before")))).failure
        self.assertEqual(failure.value.kind, "KeyError")
        self.assertIn("ValueError: before", failure.value.traceback)


class StartResponse(unittest.TestCase):
    def refused(self, status, headers):
        server = serve(returning([b"x"], status, headers))
        self.assertIsNone(server.status)
        return f"{server.failure.value.kind}: {server.failure.value.message}"

    def test_never_called(self):
        for app in (lambda environ, start_response: [], lambda environ, start_response: [b"x"]):
            self.assertIn("start_response", serve(app).failure.value.message)

    def test_twice_is_fatal_even_if_caught(self):
        def app(environ, start_response):
            start_response("200 OK", [])
            try:
                start_response("201 Created", [])
            except AssertionError:
                pass
            return [b"x"]

        server = serve(app)
        self.assertIn("a second time", server.failure.value.message)
        self.assertIsNone(server.status)

    def test_exc_info_replaces(self):
        def app(environ, start_response):
            start_response("200 OK", [("X-A", "1")])
            yield b""
            try:
                raise ValueError("boom")
            except ValueError:
                start_response("500 Oops", [("X-B", "2")], sys.exc_info())
            yield b"sorry"

        server = serve(app)
        self.assertEqual((server.status, server.fields, server.body), (500, [("X-B", b"2")], b"sorry"))
        self.assertEqual((server.exc_info.kind, server.exc_info.message), ("ValueError", "boom"))
        self.assertIn("in app", server.exc_info.traceback)

    def test_exc_info_after_the_headers_is_raised(self):
        def app(environ, start_response):
            start_response("200 OK", [])
            yield b"a"
            try:
                raise ValueError("boom")
            except ValueError:
                start_response("500 Oops", [], sys.exc_info())
            yield b"never"

        server = serve(app)
        self.assertEqual((server.status, server.body), (200, b"a"))
        self.assertEqual((server.failure.value.kind, server.failure.value.message), ("ValueError", "boom"))
        # What the server still holds back has not been sent, and is replaced.
        server = serve(app, server=Server(holds=1))
        self.assertEqual((server.failure, server.status, server.body), (None, 500, b"never"))

    def test_status(self):
        for status in ("", "20", "abc OK", "2000 OK", "200OK", "100 Continue", "600 X", "200 O\r\nK", "٢٠٠ OK"):
            self.assertIn("ValueError: the status", self.refused(status, []), status)
        self.assertIn("TypeError", self.refused(200, []))
        self.assertEqual(serve(returning([], "299 Anything goes")).status, 299)

    def test_fields_that_are_refused(self):
        for name in ("Connection", "keep-alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
                     "Proxy-Connection", "Proxy-Authenticate"):
            said = self.refused("200 OK", [(name, "x")])
            self.assertTrue(said.startswith("ValueError") and name in said and "hop-by-hop" in said, said)
        for fields in ([("X A", "1")], [("", "1")], [("X:", "1")], [("X\n", "1")], [("É", "1")],
                       [("X", "a\r\nb")], [("X", "a\0")], [("X", "\n")], [("X", "€")],
                       [("Content-Length", "-1")], [("Content-Length", "")],
                       [("Content-Length", "1"), ("content-length", "2")]):
            self.assertIn("ValueError: the header", self.refused("200 OK", fields))
        for fields in ([("X", b"1")], [(b"X", "1")], [("X", 1)], ["X: 1"], [("X",)], [None]):
            self.assertIn("TypeError", self.refused("200 OK", fields))

    def test_headers_are_a_list(self):
        def app(environ, start_response):
            start_response("200 OK", {"X": "1"})
            return []

        self.assertIn("a list of (name, value)", serve(app).failure.value.message)

    def test_fields_that_are_sent(self):
        fields = [("Set-Cookie", " a=1"), ("set-cookie", "b=2\t"), ("X-L", "é\tx"), ("X-E", "")]
        server = serve(returning([], headers=fields))
        self.assertEqual(
            server.fields, [("Set-Cookie", b"a=1"), ("set-cookie", b"b=2"), ("X-L", b"\xe9\tx"), ("X-E", b"")]
        )

    def test_a_list_that_is_changed_later(self):
        headers = [("X-A", "1")]

        def app(environ, start_response):
            start_response("200 OK", headers)
            headers.append(("X-B", "2"))
            return [b"a", b"b"]

        self.assertEqual(serve(app).fields, [("X-A", b"1")])

    def test_the_servers_refusal(self):
        server = serve(returning([b"x"]), server=Server(refuses=types.StartError_HeadersTooLarge(9)))
        self.assertIn("HeadersTooLarge(value=9)", server.failure.value.message)


if __name__ == "__main__":
    unittest.main()
