"""A WSGI application as PEP 3333 has it: no framework, nothing to install."""

from html import escape
from urllib.parse import parse_qs

PAGE = """<!doctype html>
<html lang="en">
<title>A bare WSGI application</title>
<h1>Hello, {name}!</h1>
<form><label>Your name <input name="name" value="{name}"></label> <button>Greet</button></form>
"""


def app(environ, start_response):
    if environ["PATH_INFO"] == "/count":
        return count(environ, start_response)
    if environ["PATH_INFO"] not in ("", "/"):
        start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
        return [b"There is only / and /count\n"]
    name = parse_qs(environ["QUERY_STRING"]).get("name", ["world"])[0]
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
    return [PAGE.format(name=escape(name)).encode()]


def count(environ, start_response):
    """How many lines and octets were posted. However long, the body is never whole in memory."""
    lines = octets = 0
    for line in environ["wsgi.input"]:
        lines += 1
        octets += len(line)
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    yield f"{lines} lines, {octets} octets\n".encode()
