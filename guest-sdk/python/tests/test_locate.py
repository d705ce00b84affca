"""Finding the application, and saying why it cannot be found."""

import sys
import tempfile
import unittest
from pathlib import Path

from rhost.diagnosis import diagnose
from rhost.locate import NotFound, locate, parse


class Parsing(unittest.TestCase):
    def test_what_gunicorn_takes(self):
        self.assertEqual(parse("app"), (["app"], None))
        self.assertEqual(parse("site.app"), (["site", "app"], None))
        self.assertEqual(parse("create_app()"), (["create_app"], ([], {})))
        self.assertEqual(parse("make('x', debug=True)"), (["make"], (["x"], {"debug": True})))

    def test_nothing_else(self):
        for text in ("", "a b", "1", "a[0]", "f(x)", "f(*a)", "f(**a)", "lambda: 1", "f()()", "app:"):
            with self.assertRaises(NotFound, msg=text):
                parse(text)


class Locating(unittest.TestCase):
    """With a directory of modules that are each imported once."""

    def setUp(self):
        home = tempfile.TemporaryDirectory()
        self.addCleanup(home.cleanup)
        self.root = Path(home.name) / "app"
        self.packages = Path(home.name) / "site-packages"
        self.addCleanup(setattr, sys, "path", sys.path[:])
        self.addCleanup(self.forget, set(sys.modules))
        sys.path[:0] = [str(self.root), str(self.packages)]
        self.addCleanup(setattr, sys, "dont_write_bytecode", sys.dont_write_bytecode)
        sys.dont_write_bytecode = True

    def forget(self, known):
        for name in set(sys.modules) - known:
            del sys.modules[name]

    def write(self, name, text, root=None):
        path = (root or self.root) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def told(self, module, expression="app"):
        try:
            locate(module, expression)
        except BaseException as error:
            return diagnose(error, str(self.root), "add {module} to requirements.txt")[0]
        self.fail(f"{module} was found")

    def test_an_application(self):
        self.write("one.py", "def app(e, s): pass\ndef make(name): return lambda e, s: name\nclass C:\n    call = app\n")
        self.assertEqual(locate("one", "app").__name__, "app")
        self.assertEqual(locate("one", "make('x')")(None, None), "x")
        self.assertEqual(locate("one", "C.call").__name__, "app")
        self.write("pkg/web.py", "application = print")
        self.assertIs(locate("pkg.web", "application"), print)

    def test_a_callable_that_is_not_there(self):
        self.write("two.py", "application = print\nnumber = 3")
        self.assertEqual(
            self.told("two"), "two has no `app` (asked for: two:app); is it two:application?"
        )
        self.assertIn("`number` in two is a int, not a callable", self.told("two", "number"))

    def test_a_module_that_is_not_there(self):
        self.write("three.py", "import os\nimport nowhere.at_all\n")
        self.assertEqual(
            self.told("three"), f"{self.root}/three.py:2: there is no module nowhere; add nowhere to requirements.txt"
        )
        self.assertIn("there is no module absent", self.told("absent"))
        self.write("old.py", "raise ModuleNotFoundError('no', name='asyncore')")
        self.assertIn("has no module asyncore any more; add pyasyncore to", self.told("old"))

    def test_a_native_extension(self):
        self.write("quick/__init__.py", "try:\n    import quick._fast\nexcept ImportError as e:\n"
                                        "    raise ImportError('quick is broken') from e\n", self.packages)
        self.write("quick/_fast.cpython-399-x86_64-linux-gnu.so", "", self.packages)
        self.write("quicker/__init__.py", "import quicker._fast\n", self.packages)
        self.write("quicker/_fast.abi399.so", "", self.packages)
        self.write("four.py", "import quicker\n")
        said = self.told("four")
        self.assertIn("four.py:1: quicker needs the native extension quicker._fast (_fast.abi399.so)", said)
        self.write("five.py", "\n\nimport quick\n")
        self.assertIn("five.py:3: quick needs the native extension", self.told("five"))
        if hasattr(ImportError(), "name_from"):
            self.write("slow/__init__.py", "from slow import _fast\n", self.packages)
            self.write("slow/_fast.so", "", self.packages)
            self.write("six.py", "import slow\n")
            self.assertIn("six.py:1: slow needs the native extension slow._fast", self.told("six"))

    def test_a_syntax_error(self):
        self.write("seven.py", "x = 1\ndef f(:\n    pass\n")
        said = self.told("seven")
        self.assertTrue(said.startswith(f"{self.root}/seven.py:2: ") and "`def f(:`" in said, said)

    def test_what_the_standard_library_lacks(self):
        self.write("eight.py", "raise ModuleNotFoundError('no', name='_ssl')")
        self.assertIn("the standard library's _ssl does not exist in a sandbox (it needs TLS)", self.told("eight"))

    def test_anything_else(self):
        self.write("nine.py", "\nimport os\nos.environ['RHOST_SECRET']")
        self.assertIn("nine.py:3: KeyError: 'RHOST_SECRET'; if it is an environment variable, "
                      "give it: --env RHOST_SECRET=...", self.told("nine"))
        self.write("ten.py", "raise RuntimeError('a\\nb')")
        self.assertIn("ten.py:1: importing the app raised RuntimeError: a b;", self.told("ten"))
        self.write("eleven.py", "raise SystemExit")
        self.assertIn("raised SystemExit", self.told("eleven"))


if __name__ == "__main__":
    unittest.main()
