"""What is done once for the snapshot, and in each instance."""

import io
import random
import sys
import tempfile
import unittest
import uuid
from unittest import mock

from rhost import handler, instance, tempfiles, warm_up

from .gateway import Body, Server, record


class TemporaryFiles(unittest.TestCase):
    """With no directory that a file could be made in."""

    def setUp(self):
        for name, value in (("TemporaryFile", tempfile.TemporaryFile), ("tempdir", None),
                            ("_get_default_tempdir", tempfile._get_default_tempdir)):
            patch = mock.patch.object(tempfile, name, value)
            patch.start()
            self.addCleanup(patch.stop)
        tempfiles.install()

    def without_directories(self):
        return mock.patch.object(tempfile, "_candidate_tempdir_list", lambda: ["/nowhere/at/all"])

    def test_those_without_a_name_are_in_memory(self):
        with self.without_directories():
            with tempfile.TemporaryFile() as file:
                file.write(b"octets")
                file.seek(0)
                self.assertEqual(file.read(), b"octets")
            with tempfile.TemporaryFile("w+", encoding="utf-8") as file:
                file.write("é")
                file.seek(0)
                self.assertEqual(file.read(), "é")
            with tempfile.SpooledTemporaryFile(max_size=3) as file:
                file.write(b"more than three")
                file.seek(5)
                self.assertEqual(file.read(), b"than three")

    def test_those_with_a_name_say_what_to_lend(self):
        with self.without_directories(), self.assertRaises(FileNotFoundError) as caught:
            tempfile.NamedTemporaryFile()
        self.assertIn("--dir ./tmp:/tmp", str(caught.exception))

    def test_a_directory_is_used(self):
        with tempfile.TemporaryFile() as file:
            file.write(b"x")
            self.assertGreater(file.fileno(), 2)
        with self.assertRaises(FileNotFoundError):
            tempfile.TemporaryFile(dir="/nowhere/at/all")


class Waking(unittest.TestCase):
    def test_what_was_remembered_is_forgotten(self):
        uuid.getnode()
        tempfile.gettempdir()
        instance.wake()
        self.assertIsNone(uuid._node)
        self.assertIsNone(tempfile.tempdir)
        self.assertIsNone(tempfile._name_sequence)


class LastLine(unittest.TestCase):
    def test_it_is_not_kept_for_the_next_request(self):
        def app(environ, start_response):
            print("half a line", end="", file=sys.stderr)
            print("half a line", end="")
            start_response("200 OK", [])
            return []

        streams = {name: io.TextIOWrapper(io.BytesIO()) for name in ("stdout", "stderr")}
        with mock.patch.multiple(sys, **streams):
            handler.handle(app, record(), Body(), Server())
        for name, stream in streams.items():
            self.assertEqual(stream.buffer.getvalue(), b"half a line", name)


class WarmUp(unittest.TestCase):
    def test_a_request_is_told(self):
        def app(environ, start_response):
            import colorsys  # noqa: F401

            self.assertEqual((environ["REQUEST_METHOD"], environ["QUERY_STRING"]), ("POST", "q=1"))
            start_response("201 Created", [])
            return [b"x"]

        sys.modules.pop("colorsys", None)
        said = warm_up.ask(app, "POST /x?q=1")
        self.assertEqual(said, {"request": "POST /x?q=1", "status": 201, "modules": ["colorsys"]})

    def test_a_failure_is_told(self):
        def app(environ, start_response):
            raise KeyError("DATABASE")

        said = warm_up.ask(app, "/")
        self.assertEqual((said["request"], said["status"], said["error"]), ("GET /", None, "KeyError: 'DATABASE'"))
        self.assertIn("in app", said["traceback"])

    def test_an_answer_without_end_is_left(self):
        closed = []

        def app(environ, start_response):
            start_response("200 OK", [])
            try:
                while True:
                    yield b"x" * 1000
            finally:
                closed.append(True)

        self.assertEqual(warm_up.ask(app, "/"), {"request": "GET /", "status": 200, "modules": []})
        self.assertEqual(closed, [True])


class Generators(unittest.TestCase):
    def test_those_of_the_app_are_named(self):
        from rhost.build import _generators

        module = sys.modules[__name__]
        module.shared = random.Random()
        module.system = random.SystemRandom()
        self.addCleanup(delattr, module, "shared")
        self.addCleanup(delattr, module, "system")
        root = __file__.rpartition("/")[0]
        self.assertEqual(set(_generators(root)), {f"{__name__}.shared"})


if __name__ == "__main__":
    unittest.main()
