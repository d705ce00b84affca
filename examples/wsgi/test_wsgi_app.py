import io
import unittest
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

from wsgi_app import app


def call(path, query="", body=None):
    """What the app answers: its status, and its body as text."""
    environ = {"SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": "POST" if body else "GET"}
    environ["wsgi.input"] = io.BytesIO(body or b"")
    setup_testing_defaults(environ)
    seen = []
    blocks = validator(app)(environ, lambda status, *_: seen.append(status) or io.BytesIO().write)
    try:
        text = b"".join(blocks).decode()
    finally:
        blocks.close()
    return seen[0], text


class App(unittest.TestCase):
    def test_it_greets(self):
        status, page = call("/")
        self.assertEqual(status, "200 OK")
        self.assertIn("Hello, world!", page)
        self.assertIn("Hello, &lt;b&gt;!", call("/", "name=%3Cb%3E")[1])

    def test_it_counts(self):
        self.assertEqual(call("/count", body=b"one\ntwo"), ("200 OK", "2 lines, 7 octets\n"))

    def test_other_paths_are_not_found(self):
        self.assertEqual(call("/other")[0], "404 Not Found")


if __name__ == "__main__":
    unittest.main()
