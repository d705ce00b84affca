"""The scripts of a CGI program: compiled, with what they import loaded.

The scripts themselves do not run before a request asks for them. Imports on
their first level are what Python would run for any request, so they are done
once, for the snapshot.
"""

import ast
import os
import sys

from .cgi import Scripts
from .locate import NotFound


def load(root, path):
    """The application of the script, or of the directory of scripts, `path` below `root`."""
    place = os.path.normpath(os.path.join(root, path))
    directory = os.path.isdir(place)
    names = sorted(_names(place)) if directory else [os.path.basename(path)]
    if not names:
        raise NotFound(f"{path} has no script in it; put files that end in .py there")
    top = place if directory else os.path.dirname(place)
    return Scripts(top, {name: _compiled(os.path.join(top, name)) for name in names}, directory)


def _names(place, below=""):
    for entry in os.listdir(place):
        name, path = below + entry, os.path.join(place, entry)
        if os.path.isdir(path):
            # A virtual environment has no scripts of its owner's.
            if not entry.startswith((".", "_")) and not os.path.exists(os.path.join(path, "pyvenv.cfg")):
                yield from _names(path, name + "/")
        elif entry.endswith(".py") and not entry.startswith((".", "_")):
            yield name


def _compiled(path):
    with open(path, "rb") as file:
        tree = ast.parse(file.read(), path)
    directory = os.path.dirname(path)
    sys.path.insert(0, directory)
    try:
        _import(tree.body, path, needed=True)
    finally:
        sys.path.remove(directory)
    return compile(tree, path, "exec", dont_inherit=True)


def _import(statements, path, needed):
    """Runs the imports among `statements`, each by itself, as the script would."""
    for statement in statements:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            if getattr(statement, "module", None) == "__future__":
                continue
            code = compile(ast.Module([statement], []), path, "exec", dont_inherit=True)
            try:
                exec(code, {"__name__": "__main__"})
            except Exception:
                if needed:
                    raise
        # What a condition or a `try` may leave out cannot be asked for here.
        for part in ("body", "orelse", "finalbody"):
            if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                _import(getattr(statement, part, []), path, needed=False)
