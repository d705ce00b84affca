"""CGI scripts (RFC 3875) as a WSGI application.

A script that prints is run from its first line for each request: CGI's variables
are in os.environ, the request's body is standard input, and what it prints is
the response. Its code is compiled once, when the component is built; what it
imports is loaded then, too (`imports`).
"""

import io
import os
import sys
from contextlib import suppress
from types import ModuleType
from urllib.parse import unquote, unquote_to_bytes

from .printed import Printed, Redirect

# RFC 3875, section 6.2.2, leaves it open when to give up.
REDIRECTS = 10

# What PEP 3333 adds to CGI's variables under names like CGI's.
_NOT_OF_CGI = {"RAW_URI", "REMOTE_PORT"}

_NOT_FOUND = b"There is no such script.\n"


class Ended(SystemExit):
    """os._exit: the script ends at once, and what it has not flushed is lost."""


class Scripts:
    """A WSGI application: `codes` has a script's code by its path below `root`.

    With `directory` the first segments of a path name the script, as in cgi-bin;
    without it there is one, which answers every path.
    """

    def __init__(self, root, codes, directory):
        self._root = root
        self._codes = codes
        self._directory = directory

    def __call__(self, environ, start_response):
        for _ in range(REDIRECTS):
            found = self._find(environ)
            if found is None:
                start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
                return [_NOT_FOUND]
            environ, name = found
            try:
                return self._run(name, environ, start_response)
            except Redirect as redirect:
                environ = self._redirected(environ, redirect.target, start_response)
                if environ is None:
                    return [b""]
        raise RuntimeError(f"{name} was sent on by Location {REDIRECTS} times; end that circle")

    def _find(self, environ):
        """The environ of the script that is asked for, and its name."""
        if not self._directory:
            return environ, next(iter(self._codes))
        path = environ["PATH_INFO"]
        parts = path.split("/")
        for end in range(2, len(parts) + 1):
            name = "/".join(parts[1:end])
            if name in self._codes:
                script = f"/{name}"
                shifted = {"SCRIPT_NAME": environ["SCRIPT_NAME"] + script, "PATH_INFO": path[len(script):]}
                return {**environ, **shifted, "rhost.script_name": environ["SCRIPT_NAME"]}, name
        return None

    def _redirected(self, environ, target, start_response):
        """The environ of a request for `target` (RFC 3875, section 6.2.2); none if it is not below the mount."""
        path, _, query = target.partition("?")
        path = unquote(path, "latin-1")
        mount = environ.get("rhost.script_name", environ["SCRIPT_NAME"])
        if path != mount and not path.startswith(mount + "/"):
            # Another application answers there; the client can ask it.
            host = environ.get("HTTP_HOST") or environ["SERVER_NAME"]
            start_response("302 Found", [("Location", f"{environ['wsgi.url_scheme']}://{host}{target}")])
            return None
        # The body was for the script that sent us on.
        kept = {name: value for name, value in environ.items() if name not in ("CONTENT_LENGTH", "CONTENT_TYPE")}
        method = "HEAD" if environ["REQUEST_METHOD"] == "HEAD" else "GET"
        return {
            **kept, "REQUEST_METHOD": method, "SCRIPT_NAME": mount, "PATH_INFO": path[len(mount):],
            "QUERY_STRING": query, "REQUEST_URI": target, "wsgi.input": io.BufferedReader(io.BytesIO()),
        }

    def _run(self, name, environ, start_response):
        path = f"{self._root}/{name}"
        try:
            variables = _variables(environ, path)
        except ValueError:
            # RFC 3875, section 4.1.5: no variable can hold it.
            start_response("400 Bad Request", [("Content-Type", "text/plain; charset=utf-8")])
            return [b"The path has an octet 0 in it.\n"]
        printed = Printed(start_response, name)
        module = ModuleType("__main__")
        module.__file__ = path
        module.__builtins__ = __builtins__
        buffer = io.BufferedWriter(printed, 1 << 15)
        stdout = io.TextIOWrapper(buffer, "utf-8", "surrogateescape")
        stdin = io.TextIOWrapper(environ["wsgi.input"], "utf-8", "surrogateescape")
        try:
            with _Process(path, _words(environ), variables, stdin, stdout, module):
                status = _execute(self._codes[name], module)
                printed.ends()
                if status is not Ended:
                    # The script may have put another file around the same buffer.
                    for file in (sys.stdout, buffer):
                        if not getattr(file, "closed", False):
                            file.flush()
            if status not in (None, 0, Ended):
                print(f"{name} ended with status {status}", file=sys.stderr)
            return printed.finish(status)
        finally:
            printed.leave()


def _execute(code, module):
    """Runs a script; returns the status that it ended with, as a process has one."""
    try:
        exec(code, module.__dict__)
    except Ended:
        return Ended
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code
        print(end.code, file=sys.stderr)
        return 1
    return None


class _Process:
    """What a script finds around it as if it were a process, and not afterwards."""

    def __init__(self, path, words, variables, stdin, stdout, module):
        self._new = (path, words, variables, stdin, stdout, module)

    def __enter__(self):
        path, words, variables, stdin, stdout, module = self._new
        self._old = (dict(os.environ), sys.argv, list(sys.path), sys.stdin, sys.stdout, sys.modules["__main__"],
                     os.getcwd(), os._exit)
        os.environ.update(variables)
        sys.argv = [path, *words]
        directory = os.path.dirname(path)
        sys.path.insert(0, directory)
        sys.stdin, sys.stdout, sys.modules["__main__"] = stdin, stdout, module
        os._exit = _exit
        # RFC 3875, section 7.2. A component that is served alone has no such directory.
        with suppress(OSError):
            os.chdir(directory)

    def __exit__(self, *_):
        environ, sys.argv, sys.path[:], sys.stdin, sys.stdout, sys.modules["__main__"], here, os._exit = self._old
        for name in set(os.environ) - set(environ):
            del os.environ[name]
        os.environ.update(environ)
        # A sandbox begins in `/`, where it is lent nothing.
        with suppress(OSError):
            os.chdir(here)


def _exit(status):
    raise Ended(status)


def _variables(environ, path):
    """CGI's variables (RFC 3875, section 4.1) as os.environ has them."""
    variables = {
        name: _text(value)
        for name, value in environ.items()
        if name.isupper() and isinstance(value, str) and name not in _NOT_OF_CGI
    }
    variables["REMOTE_HOST"] = variables["REMOTE_ADDR"]
    variables["SCRIPT_FILENAME"] = path
    if environ["wsgi.url_scheme"] == "https":
        variables["HTTPS"] = "on"
    if not variables["PATH_INFO"]:
        # RFC 3875, section 4.1.5: none is one that is empty.
        del variables["PATH_INFO"]
    if any("\0" in value for value in variables.values()):
        raise ValueError
    return variables


def _text(native):
    """A native string as a variable: octets, which may be UTF-8."""
    return native if native.isascii() else native.encode("latin-1").decode("utf-8", "surrogateescape")


def _words(environ):
    """The command line of a query without `=` (RFC 3875, section 4.4)."""
    query = environ["QUERY_STRING"]
    if not query or "=" in query or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
        return []
    words = [unquote_to_bytes(word) for word in query.split("+")]
    # One word that cannot be made, and none is.
    return [] if any(b"\0" in word for word in words) else [word.decode("utf-8", "surrogateescape") for word in words]
