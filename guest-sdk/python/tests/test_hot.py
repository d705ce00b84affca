"""Functions run copies of the code that was used, and behave as before."""

import sys
import unittest

from rhost import hot


def outer(number):
    """It makes functions, which are used, and calls one that is not."""

    def inner():
        return (lambda: number + 1)()

    return inner()


def another():
    return outer(1)


def unused():
    return 7


class Gathering(unittest.TestCase):
    def test_what_was_called_is_found(self):
        used = hot.used_by(another)
        names = {code.co_name for code in used}
        self.assertTrue({"another", "outer", "inner", "<lambda>"} <= names)
        self.assertNotIn(unused.__code__, used)

    def test_a_profiler_that_was_there_stays(self):
        def profile(*_):
            pass

        self.addCleanup(sys.setprofile, sys.getprofile())
        sys.setprofile(profile)
        hot.used_by(another)
        self.assertIs(sys.getprofile(), profile)

    def test_functions_run_copies(self):
        before = {function: function.__code__ for function in (outer, another, unused)}
        inner = outer.__code__.co_consts
        used = hot.used_by(another)
        hot.gather(used)
        self.assertEqual(another(), 2)
        for function, code in before.items():
            self.assertEqual(function.__code__, code)
            self.assertEqual(function.__code__ is code, function is unused)
        copied = {id(code) for code in outer.__code__.co_consts if hasattr(code, "co_code")}
        self.assertTrue(copied.isdisjoint(map(id, inner)))
