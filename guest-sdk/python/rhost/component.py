"""What the server calls: the component's export, around one application."""

import os.path

from wit_world import exports
from wit_world.imports import server

from . import instance, snapshot
from .build import build
from .handler import handle

_app, _requests = build(os.path.dirname(os.path.dirname(__file__)))
_awake = False


class App(exports.App):
    """The gateway's `app`."""

    def handle(self, environ, input):
        global _awake
        if not _awake:
            instance.wake()
            _awake = True
        handle(_app, environ, input, server)


snapshot.settle(_app, _requests)
