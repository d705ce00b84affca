"""What the server is told of an exception."""

import unittest

from .gateway import serve


def failing(error):
    def app(environ, start_response):
        raise error

    return serve(app).failure.value


class Reports(unittest.TestCase):
    def test_the_traceback_begins_in_the_app(self):
        report = failing(ValueError("boom"))
        self.assertEqual((report.kind, report.message), ("ValueError", "boom"))
        lines = report.traceback.splitlines()
        self.assertEqual(lines[0], "Traceback (most recent call last):")
        self.assertTrue(lines[1].endswith("in app"), lines)
        self.assertEqual(lines[-1], "ValueError: boom")

    def test_kinds_of_other_modules_are_named_in_full(self):
        class Own(Exception):
            pass

        self.assertTrue(failing(Own()).kind.endswith("tests.test_report.Reports.test_kinds_of_other_modules_are_named_in_full.<locals>.Own"))

    def test_causes_are_shown(self):
        def app(environ, start_response):
            try:
                raise KeyError("first")
            except KeyError as error:
                raise ValueError("second") from error

        traceback = serve(app).failure.value.traceback
        self.assertLess(traceback.index("KeyError: 'first'"), traceback.index("ValueError: second"))

    def test_exceptions_that_are_hard_to_tell(self):
        class Mute(Exception):
            def __str__(self):
                raise ValueError

        self.assertIn("cannot be had", failing(Mute()).message)
        failing(ValueError("\udcff")).message.encode()
        self.assertEqual(failing(SystemExit(3)).kind, "SystemExit")
        self.assertEqual(failing(ExceptionGroup("two", [ValueError("a"), KeyError("b")])).kind, "ExceptionGroup")
        deep = None
        for _ in range(3000):
            error = ValueError("deep")
            error.__context__ = deep
            deep = error
        self.assertEqual(failing(deep).kind, "ValueError")


if __name__ == "__main__":
    unittest.main()
