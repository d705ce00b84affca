import json
import unittest
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

from wsgi_app import app


def get(path, query=""):
    """What the app answers: its status and its body. The validator checks the rules of WSGI."""
    environ = {"SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": query}
    setup_testing_defaults(environ)
    answer = {}

    def start_response(status, headers, exc_info=None):
        answer["status"] = status
        return print

    blocks = validator(app)(environ, start_response)
    try:
        return answer["status"], b"".join(blocks).decode()
    finally:
        blocks.close()


class App(unittest.TestCase):
    def test_a_page_greets(self):
        status, page = get("/", "name=%3CAda%3E")
        self.assertEqual(status, "200 OK")
        self.assertIn("<h1>Hello, &lt;Ada&gt;!</h1>", page)

    def test_so_does_json(self):
        status, text = get("/greeting")
        self.assertEqual((status, json.loads(text)), ("200 OK", {"hello": "world"}))

    def test_there_is_nothing_else(self):
        self.assertEqual(get("/other")[0], "404 Not Found")


if __name__ == "__main__":
    unittest.main()
