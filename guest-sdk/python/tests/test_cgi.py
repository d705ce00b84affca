"""CGI scripts (RFC 3875), run by a gateway in memory."""

import os
import sys
import tempfile
import unittest
from pathlib import Path
from traceback import extract_tb

from rhost import scripts
from rhost.locate import NotFound

from .gateway import Body, serve


class Cgi(unittest.TestCase):
    def setUp(self):
        home = tempfile.TemporaryDirectory()
        self.addCleanup(home.cleanup)
        self.home = Path(home.name)

    def run_script(self, text, body=None, server=None, **changes):
        (self.home / "hello.py").write_text(text)
        return serve(scripts.load(str(self.home), "hello.py"), body, server, **changes)

    def failing(self, text, **changes):
        server = self.run_script(text, **changes)
        self.assertIsNone(server.status)
        return server.failure.value.message

    def test_a_page(self):
        for end in ("\\n", "\\r\\n"):
            server = self.run_script(
                "import sys\n"
                f"sys.stdout.write('Content-Type: text/html{end}X-A:  b {end}Set-Cookie: a=1{end}Set-Cookie: b=2{end}"
                f"{end}<p>é</p>')"
            )
            self.assertIsNone(server.failure)
            self.assertEqual((server.status, server.body), (200, "<p>é</p>".encode()))
            self.assertEqual(server.field("x-a"), [b"b"])
            self.assertEqual(server.field("set-cookie"), [b"a=1", b"b=2"])
            self.assertEqual(server.field("content-length"), [b"9"])

    def test_status_and_location(self):
        status = self.run_script("print('Status: 404 Not Found\\nContent-Type: text/plain\\n\\nnone')")
        self.assertEqual((status.status, status.field("status"), status.body), (404, [], b"none\n"))
        bare = self.run_script("print('Status: 204\\n')")
        self.assertEqual((bare.status, bare.body, bare.fields), (204, b"", []))
        away = self.run_script("print('Location: https://example.org/x\\n')")
        self.assertEqual((away.status, away.field("location")), (302, [b"https://example.org/x"]))
        with_document = self.run_script("print('Status: 303 See Other\\nLocation: /x\\nContent-Type: text/plain\\n\\nx')")
        self.assertEqual((with_document.status, with_document.field("location")), (303, [b"/x"]))

    def test_a_local_redirect_is_another_request(self):
        text = (
            "import os, sys\n"
            "if os.environ.get('PATH_INFO') == '/a%':\n"
            "    print('Content-Type: text/plain\\n')\n"
            "    print(os.environ['REQUEST_METHOD'], os.environ['QUERY_STRING'], os.environ.get('CONTENT_LENGTH'),\n"
            "          repr(sys.stdin.read()))\n"
            "else:\n"
            "    print('Location: ' + sys.stdin.read() + '\\n')\n"
        )
        asked = dict(request_method="POST", path_info=b"/x", script_name="/m")
        there = self.run_script(text, Body([b"/m/a%25?q=1"]), content_length=11, **asked)
        self.assertEqual(there.body, b"GET q=1 None ''\n")
        elsewhere = self.run_script(text, Body([b"/other?q"]), **asked)
        self.assertEqual(elsewhere.status, 302)
        self.assertEqual(elsewhere.field("location"), [b"http://example.test:8000/other?q"])
        self.assertIn("10 times", self.failing("print('Location: /round\\n')"))

    def test_variables(self):
        os.environ["LENT"] = "yes"
        self.addCleanup(os.environ.pop, "LENT")
        text = "import os, json\nprint('Content-Type: application/json\\n')\nprint(ascii(dict(os.environ)))"
        server = self.run_script(
            text, script_name="/m", path_info="/é".encode(), query_string="q=1", content_type="text/plain", content_length=0,
            headers=[("cookie", b"a"), ("cookie", b"b"), ("x-y", b"z")], url_scheme="https",
        )
        seen = eval(server.body)
        for name, value in {
            "LENT": "yes", "GATEWAY_INTERFACE": "CGI/1.1", "SCRIPT_NAME": "/m", "PATH_INFO": "/é", "QUERY_STRING": "q=1",
            "CONTENT_TYPE": "text/plain", "CONTENT_LENGTH": "0", "HTTP_COOKIE": "a; b", "HTTP_X_Y": "z", "HTTPS": "on",
            "REMOTE_HOST": "192.0.2.1", "SERVER_PROTOCOL": "HTTP/1.1", "SCRIPT_FILENAME": f"{self.home}/hello.py",
        }.items():
            self.assertEqual(seen.get(name), value, name)
        self.assertFalse([name for name in seen if "." in name or name == "RAW_URI"])
        # Nothing of it stays.
        self.assertNotIn("HTTP_X_Y", os.environ)

    def test_it_is_a_process(self):
        text = (
            "import os, sys\n"
            "count = globals().get('count', 0) + 1\n"
            "os.environ['MINE'] = 'x'\n"
            "print('Content-Type: text/plain\\n')\n"
            "print([__name__, sys.argv[1:], os.path.basename(__file__), count, sys.modules['__main__'].count])\n"
            "print(os.getcwd())\n"
        )
        here = os.getcwd()
        for _ in range(2):
            server = self.run_script(text, query_string="a+b%20c")
            first, cwd, _ = server.body.decode().split("\n")
            self.assertEqual(first, str(["__main__", ["a", "b c"], "hello.py", 1, 1]))
            self.assertTrue(os.path.samefile(cwd, self.home))
        self.assertEqual(os.getcwd(), here)
        self.assertNotIn("MINE", os.environ)
        for query in ("a=b", "a+%00"):
            self.assertIn(b"'__main__', [],", self.run_script(text, query_string=query).body)

    def test_standard_input(self):
        head = "import sys\nprint('Content-Type: text/plain\\n')\n"
        octets = self.run_script(head + "print(sys.stdin.buffer.read(2), sys.stdin.buffer.read())", Body([b"\xff", b"\0ab"]))
        self.assertEqual(octets.body, b"b'\\xff\\x00' b'ab'\n")
        text = self.run_script(head + "print([line for line in sys.stdin])", Body(["é\nb".encode()]))
        self.assertEqual(text.body, "['é\\n', 'b']\n".encode())

    def test_what_is_flushed_goes_out(self):
        server = self.run_script(
            "import sys\nprint('Content-Type: text/plain\\n', flush=True)\nprint('a', flush=True)\nprint('b')\nprint('c')"
        )
        self.assertEqual(server.events, [200, b"a\n", b"b\nc\n"])
        self.assertEqual(server.field("content-length"), [])
        pieces = self.run_script("import sys\nfor c in 'Content-Type: a/b\\r\\n\\r\\nxy':\n    print(c, end='', flush=True)")
        self.assertEqual(pieces.events, [200, b"x", b"y"])

    def test_another_file_around_the_buffer(self):
        for put in (
            "io.TextIOWrapper(sys.stdout.buffer, 'utf-16-le')", "io.TextIOWrapper(sys.stdout.detach(), 'utf-16-le')",
            "codecs.getwriter('utf-16-le')(sys.stdout.buffer)",
        ):
            server = self.run_script(
                "import sys, io, codecs\nsys.stdout.buffer.write(b'Content-Type: text/plain\\n\\n')\n"
                f"sys.stdout = {put}\nprint('é', end='')"
            )
            self.assertEqual(server.body, "é".encode("utf-16-le"), put)

    def test_a_page_without_a_header_block(self):
        for page, kind in (
            ("<p>a: b</p>", "text/html"), ("\\n<p>", "text/html"), ("hello", "text/plain"), ("Note: this\\nis text", "text/plain"),
            ("Dear: all\\n\\nhello", "text/plain"), ("{\\\"a\\\": 1}", "text/plain"), ("Note:", "text/plain"),
        ):
            server = self.run_script(f"print(\"{page}\", end='')")
            self.assertIsNone(server.failure, page)
            self.assertEqual(server.field("content-type"), [f"{kind}; charset=utf-8".encode()], page)
            self.assertEqual(server.body.decode(), page.replace("\\n", "\n").replace('\\"', '"'))
            self.assertIn("RFC 3875, section 6.3.1", server.errors)
            self.assertIn(f'print("Content-Type: {kind}; charset=utf-8"); print()', server.errors)
        streamed = self.run_script("print('<p>', flush=True)\nprint('x')")
        self.assertEqual(streamed.events, [200, b"<p>\n", b"x\n"])
        untyped = self.run_script("print('Status: 200 OK\\n\\nx')")
        self.assertEqual((untyped.status, untyped.field("content-type")), (200, []))
        self.assertIn("without a Content-Type (RFC 3875, section 6.3.1)", untyped.errors)

    def test_what_is_wrong_with_it(self):
        for text, said in (
            ("", "printed nothing"),
            ("import sys; sys.exit(3)", "printed nothing (it ended with status 3)"),
            ("print('Content-Type: text/html\\nno field\\n\\nx')", "the line b'no field'"),
            ("print('Status: high\\n\\n')", "the status 'high'"),
            ("print('Status: 200\\nStatus: 404\\n\\n')", "two fields Status"),
            ("print('Content-Type: a/b\\nConnection: close\\n\\n')", "hop-by-hop"),
            ("print('A: b\\n' * 20000, flush=True)\nprint('Content-Type: a')", "without an end"),
            ("print('Content-Type: a/b\\n\\nx')\n1 / 0", "division by zero"),
        ):
            self.assertIn(said, self.failing(text), text)
        trace = self.run_script("def f():\n    raise KeyError('k')\nf()").failure.value
        self.assertEqual(trace.kind, "KeyError")
        self.assertIn('hello.py", line 2, in f', trace.traceback)

    def test_ends(self):
        page = "import os, sys\nprint('Content-Type: text/plain\\n\\nx', flush=True)\nprint('y')\n"
        for end, body, log in (
            ("sys.exit()", b"x\ny\n", ""), ("sys.exit(0)", b"x\ny\n", ""), ("sys.exit(7)", b"x\ny\n", "ended with status 7"),
            ("sys.exit('sorry')", b"x\ny\n", "sorry"), ("os._exit(1)", b"x\n", ""),
        ):
            server = self.run_script(page + end)
            self.assertEqual((server.failure, server.body), (None, body), end)
            self.assertIn(log, server.errors)
        late = self.run_script(page + "1 / 0")
        self.assertEqual((late.status, late.body, late.failure.value.kind), (200, b"x\n", "ZeroDivisionError"))

    def test_a_path_that_no_variable_holds(self):
        self.assertEqual(self.run_script("print('x')", path_info=b"/a\0b").status, 400)

    def test_a_program_of_wsgirefs(self):
        server = self.run_script(
            "from wsgiref.handlers import CGIHandler\nfrom wsgiref.simple_server import demo_app\nCGIHandler().run(demo_app)",
            path_info=b"/x", query_string="q=1",
        )
        self.assertEqual(server.status, 200)
        self.assertTrue(server.body.startswith(b"Hello world!"), server.body)

    def test_a_directory_of_them(self):
        show = "import os\nprint('Content-Type: text/plain\\n')\nprint(os.environ['SCRIPT_NAME'], os.environ.get('PATH_INFO'))"
        for name in ("bin/a.py", "bin/sub/b.py", "bin/_own.py", "bin/notes.txt"):
            (self.home / name).parent.mkdir(parents=True, exist_ok=True)
            (self.home / name).write_text(show)
        (self.home / "bin/go.py").write_text("print('Location: /m/a.py/there?x\\n')")
        app = scripts.load(str(self.home), "bin")
        for path, body in (("/a.py", "/m/a.py None"), ("/a.py/x/y", "/m/a.py /x/y"), ("/sub/b.py/", "/m/sub/b.py /"),
                           ("/go.py", "/m/a.py /there")):
            self.assertEqual(serve(app, path_info=path.encode(), script_name="/m").body.decode(), body + "\n")
        for path in ("/", "", "/a.pyx", "/_own.py", "/notes.txt", "/../hello.py", "//a.py", "/sub"):
            self.assertEqual(serve(app, path_info=path.encode(), script_name="/m").status, 404, path)

    def test_imports_are_loaded_before(self):
        (self.home / "helper_of_cgi.py").write_text("X = 1\n")
        (self.home / "hello.py").write_text(
            "from __future__ import annotations\nimport colorsys, helper_of_cgi\ntry:\n    import nowhere_at_all\n"
            "except ImportError:\n    pass\nraise RuntimeError('it ran')\n"
        )
        for name in ("colorsys", "helper_of_cgi"):
            sys.modules.pop(name, None)
        scripts.load(str(self.home), "hello.py")
        self.assertTrue({"colorsys", "helper_of_cgi"} <= set(sys.modules))
        self.assertNotIn(str(self.home), sys.path)
        (self.home / "hello.py").write_text("x = 1\nimport nowhere_at_all\n")
        try:
            scripts.load(str(self.home), "hello.py")
        except ModuleNotFoundError as error:
            frame = extract_tb(error.__traceback__)[-1]
        self.assertEqual((frame.filename, frame.lineno), (f"{self.home}/hello.py", 2))
        (self.home / "empty").mkdir()
        with self.assertRaises(NotFound):
            scripts.load(str(self.home), "empty")


if __name__ == "__main__":
    unittest.main()
