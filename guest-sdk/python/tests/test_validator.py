"""wsgiref.validate, around the application and thus at the server."""

import unittest
import warnings
from wsgiref.simple_server import demo_app
from wsgiref.validate import validator

from .gateway import Body, serve


def echo(environ, start_response):
    body = environ["wsgi.input"].read(3) + environ["wsgi.input"].readline() + b"".join(environ["wsgi.input"])
    environ["wsgi.errors"].write("noted\n")
    environ["wsgi.errors"].writelines(["a\n"])
    environ["wsgi.errors"].flush()
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return [body[:4], body[4:]]


class Validated(unittest.TestCase):
    def test_no_complaint(self):
        for method in ("GET", "POST", "HEAD"):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                server = serve(
                    validator(echo), Body([b"one\ntwo\n", b"three"]), request_method=method,
                    content_length=13, content_type="text/plain", path_info=b"/\xff", script_name="/x",
                )
            self.assertIsNone(server.failure)
            self.assertEqual(server.body, b"one\ntwo\nthree")
            self.assertEqual(server.errors, "noted\na\n")

    def test_wsgirefs_own_application(self):
        server = serve(validator(demo_app))
        self.assertIsNone(server.failure)
        self.assertTrue(server.body.startswith(b"Hello world!\n"))
        self.assertIn(b"wsgi.url_scheme = 'http'", server.body)

    def test_it_does_complain(self):
        def wrong(environ, start_response):
            start_response("200 OK", [])
            return [b"x"]

        self.assertEqual(serve(validator(wrong)).failure.value.kind, "AssertionError")


if __name__ == "__main__":
    unittest.main()
