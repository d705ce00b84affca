"""Answers whose framing is the server's to put right."""

PLAIN = ("Content-Type", "text/plain")


def long(start_response):
    start_response("200 OK", [PLAIN, ("Content-Length", "4")])
    return [b"four", b" and more"]


def short(start_response):
    start_response("200 OK", [PLAIN, ("Content-Length", "20")])
    return [b"four"]


def no_content(start_response):
    start_response("204 No Content", [])
    return [b"not to be sent"]


def not_modified(start_response):
    start_response("304 Not Modified", [("ETag", '"1"')])
    return [b"not to be sent"]


def blocks(start_response):
    start_response("200 OK", [PLAIN])
    return [b"one ", b"", b"two ", b"three"]


def none(start_response):
    start_response("404 Not Found", [PLAIN])
    return []


def cookies(start_response):
    start_response("200 OK", [PLAIN, ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2; Path=/")])
    return [b"x"]


def date(start_response):
    start_response("200 OK", [PLAIN, ("Date", "Thu, 01 Jan 1970 00:00:00 GMT")])
    return [b"x"]


CASES = {name: case for name, case in list(globals().items()) if callable(case)}


def app(environ, start_response):
    return CASES[environ["PATH_INFO"].strip("/").replace("-", "_")](start_response)
