"""A WSGI application (PEP 3333). Any framework's application object will do in its place."""

import json
from html import escape
from urllib.parse import parse_qs

PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Hello</title></head>
<body>
<h1>Hello, {name}!</h1>
<form><label>Your name <input name="name" value="{name}"></label> <button>Greet</button></form>
</body>
</html>
"""


def app(environ, start_response):
    """Finds the function for a path."""
    route = ROUTES.get(environ["PATH_INFO"] or "/")
    if route is None:
        status, kind, text = "404 Not Found", "text/plain", "There is nothing here.\n"
    else:
        status, kind, text = route(parse_qs(environ["QUERY_STRING"]))
    start_response(status, [("Content-Type", f"{kind}; charset=utf-8")])
    return [text.encode()]


def index(query):
    return "200 OK", "text/html", PAGE.format(name=escape(name_in(query)))


def greeting(query):
    return "200 OK", "application/json", json.dumps({"hello": name_in(query)}) + "\n"


def name_in(query):
    return query.get("name", ["world"])[0]


ROUTES = {"/": index, "/greeting": greeting}
