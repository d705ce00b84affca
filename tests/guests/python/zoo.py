"""WSGI programs of every kind, each under a path of its own.

One component holds them all, since building one takes seconds.
"""

from wsgiref.simple_server import demo_app
from wsgiref.util import shift_path_info
from wsgiref.validate import validator

import bare
import fails
import framing
import frameworks
import surroundings

PROGRAMS = {
    "bare": bare.function,
    "class": bare.Class,
    "iterator": bare.iterator,
    "generator": bare.generator,
    "write": bare.write,
    "file": bare.file,
    "echo": bare.echo,
    "lines": bare.lines,
    "closing": bare.closing,
    "stream": bare.stream,
    "demo": demo_app,
    "validated": validator(bare.echo),
    "validated-demo": validator(demo_app),
    "flask": frameworks.flask_app,
    "bottle": frameworks.bottle_app,
    "webob": frameworks.webob_app,
    "fails": fails.app,
    "framing": framing.app,
    "surroundings": surroundings.app,
}


def app(environ, start_response):
    program = PROGRAMS.get(shift_path_info(environ))
    if program is None:
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"no such program\n"]
    return program(environ, start_response)
