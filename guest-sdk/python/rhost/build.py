"""The part of a build that runs inside WebAssembly: import the app, warm it up.

componentize-py runs it, in a sandbox to which it mounts the application, this
package and the dependencies. `rhost_build.json` says what is asked, and
`rhost_report.json` beside it, how it went.
"""

import json
import os
import site
import sys
import time
from importlib import import_module

from . import (
    absent, identity, instance, kdf, late, loops, natives, network, routes, scripts, sqlite, threads, warm_up, world,
)
from .diagnosis import diagnose
from .locate import locate
from .report import exc_info
from .state import own_modules, state, weight

# Codecs that are looked up by name, late.
_CODECS = ("ascii", "idna", "latin_1", "utf_8")


def build(here):
    """The application that the instruction in the directory `here` asks for, and the requests of its warm-up."""
    with open(os.path.join(here, "rhost_build.json"), encoding="utf-8") as file:
        asked = json.load(file)
    report = {}
    if asked["stdlib"]:
        _copy(asked["stdlib"], os.path.join(here, "stdlib"))
    try:
        return _build(asked, report)
    except BaseException as error:
        report["error"], says_more = diagnose(error, asked["root"], asked["cure"])
        if says_more:
            report["traceback"] = exc_info(error).traceback
        raise
    finally:
        with open(os.path.join(here, "rhost_report.json"), "w", encoding="utf-8") as file:
            json.dump(report, file)


def _build(asked, report):
    # Nothing is left behind in the application's directory.
    sys.dont_write_bytecode = True
    # The application's modules come before the standard library's, as they do
    # for a script.
    sys.path[:] = asked["path"] + [entry for entry in sys.path if entry not in asked["path"]]
    os.environ.update(asked["env"])
    # What packages say in files that end in .pth, as setuptools does of distutils.
    if os.path.isdir(asked["site"]):
        site.addsitedir(asked["site"])
    for codec in _CODECS:
        import_module(f"encodings.{codec}")
    instance.streams()
    late.install()
    absent.install()
    for part in (natives, network, sqlite, identity, kdf, threads, loops):
        part.install()
    world.install(asked["root"])
    if asked["script"] is None:
        # A script has the variables that CGI names, and no others.
        world.give_home(asked["env"])
    began = time.monotonic()
    if asked["script"] is None:
        app = locate(asked["module"], asked["callable"])
    else:
        app = scripts.load(asked["root"], asked["script"])
    report["imported"] = len(sys.modules)
    report["seconds"] = time.monotonic() - began
    report["objects"] = weight()
    requests = asked["warm_up"]
    report["warm_up"] = [warm_up.run(app, what) for what in requests]
    if asked["warm_up_is_usual"] and report["warm_up"][-1].get("status") == 404:
        # Nothing is there. What the framework lists warms as well.
        requests = []
        for path in routes.of(app):
            report["warm_up"].append(warm_up.run(app, path))
            if (report["warm_up"][-1]["status"] or 500) < 300:
                requests = [path]
                break
    report["warm_objects"] = weight()
    report["state"] = state(asked["root"])
    report["files"] = sorted(_files(asked["root"]))
    instance.freeze()
    return app, [what for what in requests if warm_up.is_request(what)]


# Parts of the standard library that no web application imports.
_LEFT_OUT = {"__pycache__", "ensurepip", "idlelib", "site-packages", "test", "tkinter", "turtledemo"}


def _copy(source, target):
    """Copies Python files: it is lent to instances, for what they import late."""
    os.makedirs(target)
    for name in os.listdir(source):
        path, copy = os.path.join(source, name), os.path.join(target, name)
        if os.path.isdir(path):
            if name not in _LEFT_OUT:
                _copy(path, copy)
        elif name.endswith(".py"):
            with open(path, "rb") as file, open(copy, "wb") as new:
                new.write(file.read())


def _files(root):
    return {os.path.relpath(file, root) for _, _, file in own_modules(root)}
