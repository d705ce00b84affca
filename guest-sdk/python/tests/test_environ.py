"""The environ that an application is given (conformance 1-14)."""

import unittest

from .gateway import record, serve


def environ(**changes):
    seen = {}

    def app(environ, start_response):
        seen.update(environ)
        start_response("200 OK", [])
        return []

    assert serve(app, **changes).failure is None
    return seen


class Environ(unittest.TestCase):
    def test_every_variable_of_cgi(self):
        seen = environ(
            request_method="PROPFIND", script_name="/mnt", path_info=b"/a b", query_string="x=%20",
            request_uri="/mnt/a%20b?x=%20", content_type="text/plain", content_length=3,
        )
        for name, value in {
            "REQUEST_METHOD": "PROPFIND", "SCRIPT_NAME": "/mnt", "PATH_INFO": "/a b",
            "QUERY_STRING": "x=%20", "REQUEST_URI": "/mnt/a%20b?x=%20", "RAW_URI": "/mnt/a%20b?x=%20",
            "CONTENT_TYPE": "text/plain", "CONTENT_LENGTH": "3", "SERVER_NAME": "example.test",
            "SERVER_PORT": "8000", "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_SOFTWARE": "rhost/0.1.0",
            "REMOTE_ADDR": "192.0.2.1", "REMOTE_PORT": "4711", "GATEWAY_INTERFACE": "CGI/1.1",
            "HTTP_HOST": "example.test:8000",
        }.items():
            self.assertEqual(seen[name], value, name)

    def test_what_is_wsgis(self):
        seen = environ(url_scheme="https", multithread=False, multiprocess=True, run_once=True)
        self.assertEqual(seen["wsgi.version"], (1, 0))
        self.assertEqual(seen["wsgi.url_scheme"], "https")
        self.assertIs(seen["wsgi.multithread"], False)
        self.assertIs(seen["wsgi.multiprocess"], True)
        self.assertIs(seen["wsgi.run_once"], True)
        self.assertIs(seen["wsgi.input_terminated"], True)
        self.assertEqual(environ(run_once=False)["wsgi.run_once"], False)

    def test_it_is_a_dictionary_of_its_own(self):
        seen = []

        def app(environ, start_response):
            self.assertIs(type(environ), dict)
            seen.append("left" in environ)
            environ["left"] = True
            start_response("200 OK", [])
            return []

        serve(app), serve(app)
        self.assertEqual(seen, [False, False])

    def test_native_strings_hold_octets(self):
        seen = environ(
            path_info="/é€".encode() + b"\xff\x00", script_name="/ü", query_string="ü",
            content_type="text/plain; name=€", headers=[("x", b"\xe9\xff")],
        )
        self.assertEqual(seen["PATH_INFO"].encode("latin-1"), "/é€".encode() + b"\xff\x00")
        self.assertEqual(seen["SCRIPT_NAME"].encode("latin-1"), "/ü".encode())
        self.assertEqual(seen["QUERY_STRING"].encode("latin-1"), "ü".encode())
        self.assertEqual(seen["CONTENT_TYPE"].encode("latin-1"), "text/plain; name=€".encode())
        self.assertEqual(seen["HTTP_X"], "\xe9\xff")

    def test_what_is_not_there(self):
        seen = environ()
        for name in ("CONTENT_TYPE", "CONTENT_LENGTH", "HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"):
            self.assertNotIn(name, seen)
        self.assertEqual(environ(content_length=0)["CONTENT_LENGTH"], "0")

    def test_repeats_are_joined(self):
        seen = environ(headers=[
            ("accept", b"a"), ("cookie", b"c=1"), ("x-two-words", b"w"), ("accept", b"b"), ("cookie", b"d=2"),
        ])
        self.assertEqual(seen["HTTP_ACCEPT"], "a, b")
        self.assertEqual(seen["HTTP_COOKIE"], "c=1; d=2")
        self.assertEqual(seen["HTTP_X_TWO_WORDS"], "w")

    def test_what_the_server_adds_hides_nothing(self):
        seen = environ(extensions=[("tls.version", "1.3"), ("PATH_INFO", "/forged")])
        self.assertEqual(seen["tls.version"], "1.3")
        self.assertEqual(seen["PATH_INFO"], "/")
        self.assertEqual(seen["rhost.request_id"], record().request_id)


if __name__ == "__main__":
    unittest.main()
