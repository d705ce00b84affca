"""What is done once for the snapshot, and in each instance."""

import contextlib
import functools
import io
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import unittest
import uuid
from unittest import mock

from rhost import handler, identity, instance, tempfiles, warm_up
from rhost.diagnosis import diagnose
from rhost.state import state, weight

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


class OwnWarmUp(unittest.TestCase):
    def test_it_is_called_with_the_app(self):
        module = sys.modules[__name__]
        module.filled = []
        module.fill = lambda app: module.filled.append(app)
        self.addCleanup(delattr, module, "filled")
        self.addCleanup(delattr, module, "fill")
        said = warm_up.run("the app", f"{__name__}:fill")
        self.assertEqual((said, module.filled), ({"function": f"{__name__}:fill", "modules": []}, ["the app"]))

    def test_a_failure_is_named(self):
        module = sys.modules[__name__]
        module.fill = lambda app: {}["DATABASE"]
        self.addCleanup(delattr, module, "fill")
        try:
            warm_up.run(None, f"{__name__}:fill")
        except warm_up.Failed as error:
            said, says_more = diagnose(error, __file__.rpartition("/")[0], "")
        self.assertIn(f"the warm-up {__name__}:fill raised KeyError: 'DATABASE'; correct it, or take it out", said)
        self.assertRegex(said, r"test_instance.py:\d+: ")
        self.assertTrue(says_more)


class Lacking(unittest.TestCase):
    def test_what_a_sandbox_has_not_is_named(self):
        for file, error, said in (
            ("socket", PermissionError(2, "no"), "no sockets, and so no event loop of asyncio; do without it"),
            ("threading", RuntimeError("can't start new thread"), "no second thread; do without it"),
            ("subprocess", OSError("wasi does not support processes."), "no processes; do without it"),
        ):
            code = compile("raise error", f"/python/{file}.py", "exec")
            try:
                exec(code, {"error": error})
            except Exception as raised:
                self.assertIn(f"a sandbox has {said}", diagnose(raised, "/0", "")[0])

    def test_there_is_somebody(self):
        with mock.patch.object(os, "getuid", create=True):
            del os.getuid
            identity.install()
            self.assertEqual(os.getuid(), 65534)


class State(unittest.TestCase):
    def test_more_objects_weigh_more(self):
        (few, light), kept = weight(), [[] for _ in range(10_000)]
        many, heavy = weight()
        self.assertGreaterEqual(many - few, 9_900)
        self.assertGreaterEqual(heavy - light, 9_900 * sys.getsizeof(kept[0]))

    def test_what_the_app_keeps_is_named(self):
        module = sys.modules[__name__]
        cached = functools.lru_cache(lambda: 1)
        cached()
        kept = {"shared": random.Random(), "system": random.SystemRandom(), "cached": cached,
                "empty": functools.lru_cache(lambda: 1)}
        for name, value in kept.items():
            setattr(module, name, value)
            self.addCleanup(delattr, module, name)
        root = __file__.rpartition("/")[0]
        with open(__file__) as file, contextlib.closing(sqlite3.connect(":memory:")):
            seen = state(root)
            self.assertIn(file.name, seen["open"])
        self.assertEqual(seen["generators"], [f"{__name__}.shared"])
        self.assertEqual(seen["caches"], [f"{__name__}.cached"])
        self.assertIn("a database of sqlite3", seen["open"])
        self.assertNotIn(__file__, state(root)["open"])


class Locks(unittest.TestCase):
    """sqlite3 in an interpreter of its own, where it has not been imported."""

    def run_python(self, text):
        home = tempfile.TemporaryDirectory()
        self.addCleanup(home.cleanup)
        package = __file__.rpartition("/")[0].rpartition("/")[0]
        program = "import os, sys\nfrom rhost import late, sqlite\nlate.install()\nsqlite.install()\nimport sqlite3\n" + text
        env = {"PYTHONPATH": f"{package}:{package}/tests/bindings"}
        ended = subprocess.run([sys.executable, "-B", "-c", program], cwd=home.name, env=env, capture_output=True, text=True)
        self.assertEqual(ended.stderr, "")
        return ended.stdout.split()

    def test_a_writer_holds_the_directory(self):
        said = self.run_python(
            "c = sqlite3.connect('a b?.db', 0.01)\nc.execute('create table t(x)')\nc.execute('insert into t values(1)')\n"
            "print(os.path.isdir('a b?.db.lock'))\n"
            "try:\n    sqlite3.connect('a b?.db', timeout=0.01).execute('insert into t values(2)')\n"
            "except sqlite3.OperationalError as error:\n    print(str(error).replace(' ', '-'))\n"
            "c.commit()\nc.close()\nprint(*os.listdir())\n"
        )
        self.assertEqual(said, ["True", "database-is-locked", "a", "b?.db"])

    def test_no_lock_outlives_its_request(self):
        said = self.run_python(
            "sys.path.insert(0, os.environ['PYTHONPATH'].split(':')[0])\nfrom tests.gateway import serve\nkept = []\n"
            "def app(environ, start_response):\n"
            "    kept.append(sqlite3.connect('x.db'))\n    kept[-1].execute('create table t(x)')\n"
            "    kept[-1].execute('insert into t values(1)')\n    print(*os.listdir())\n    1 / 0\n"
            "print(serve(app).failure.value.kind, *os.listdir())\n"
        )
        self.assertEqual(said[-2:], ["ZeroDivisionError", "x.db"])
        self.assertIn("x.db.lock", said)

    def test_what_was_left_behind_is_taken_away(self):
        said = self.run_python(
            "for age in (0, 1000):\n    os.makedirs('x.db.lock', exist_ok=True)\n"
            "    os.utime('x.db.lock', (sqlite.time.time() - age,) * 2)\n"
            "    try:\n        sqlite3.connect('x.db', timeout=0).execute('create table t(x)')\n        print('made')\n"
            "    except sqlite3.OperationalError:\n        print('locked')\n"
        )
        self.assertEqual(said, ["locked", "made"])

    def test_others_are_opened_as_they_are(self):
        said = self.run_python(
            "print(sqlite3.connect(':memory:').execute('select 1').fetchone()[0])\n"
            "print(sqlite3.connect('file:m?mode=memory', uri=True).execute('select 2').fetchone()[0])\n"
            "print(sqlite3.connect is sqlite3.dbapi2.connect, *os.listdir())\n"
        )
        self.assertEqual(said, ["1", "2", "True"])


if __name__ == "__main__":
    unittest.main()
