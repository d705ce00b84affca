"""The application object from what a command line calls it.

`wsgi_app:app`, `shop.web:application`, `shop:create_app()` and
`shop:create_app("testing")` mean what they mean to gunicorn.
"""

import ast
from importlib import import_module
from inspect import iscoroutinefunction


class NotFound(Exception):
    """The module is there, and what was asked for in it is not."""


def locate(module, expression):
    """Imports `module` and finds its application."""
    names, arguments = parse(expression)
    found = import_module(module)
    for name in names:
        try:
            found = getattr(found, name)
        except AttributeError:
            raise NotFound(_missing(module, expression, name)) from None
    if arguments is not None:
        args, kwargs = arguments
        found = found(*args, **kwargs)
    if _is_asgi(found):
        raise NotFound(
            f"`{expression}` in {module} is an ASGI application (it is async), and rhost serves WSGI, not ASGI yet; "
            "give the WSGI application of the same program, if it has one"
        )
    if not callable(found):
        raise NotFound(
            f"`{expression}` in {module} is a {type(found).__name__}, not a callable; "
            f"name the application object, as {module}:app"
        )
    return found


def _is_asgi(found):
    """Whether it is to be awaited, or is known to be a framework of that kind."""
    if iscoroutinefunction(found) or iscoroutinefunction(getattr(type(found), "__call__", None)):
        return True
    return not isinstance(found, type) and type(found).__module__.split(".")[0] in ("starlette", "fastapi", "litestar", "quart")


def parse(expression):
    """The names and, of a factory, the arguments in `a.b` and `a.b("x", c=1)`."""
    wrong = f"`{expression}` is no name and no call of one; write it as app, or as create_app()"
    try:
        node = ast.parse(expression, mode="eval").body
        arguments = None
        if isinstance(node, ast.Call):
            args = [ast.literal_eval(arg) for arg in node.args]
            arguments = args, {word.arg: ast.literal_eval(word.value) for word in node.keywords}
            if None in arguments[1]:
                raise NotFound(wrong)
            node = node.func
        names = []
        while isinstance(node, ast.Attribute):
            names.insert(0, node.attr)
            node = node.value
        if isinstance(node, ast.Name):
            return [node.id, *names], arguments
    except (SyntaxError, ValueError):
        pass
    raise NotFound(wrong)


def _missing(module, expression, name):
    others = [other for other in ("app", "application", "create_app") if _has(module, other)]
    if others:
        instead = f"; is it {module}:{others[0]}?"
    else:
        instead = f"; name the application object, as {module}:app, or serve its file with --cgi if it prints its answer"
    return f"{module} has no `{name}` (asked for: {module}:{expression}){instead}"


def _has(module, name):
    return callable(getattr(import_module(module), name, None))
