"""What is done to a module of the standard library when it is imported, be it as late as in
a request.
"""

import sys
from importlib.util import find_spec

_patches = {}


def when(name, patch):
    """Calls `patch` with the module of that name once it has been loaded."""
    module = sys.modules.get(name)
    if module is not None:
        patch(module)
    else:
        _patches.setdefault(name, []).append(patch)


class _Finder:
    """Finds them as others do, and patches what they load."""

    def __init__(self):
        self._busy = set()

    def find_spec(self, name, path=None, target=None):
        if name not in _patches or name in self._busy:
            return None
        self._busy.add(name)
        try:
            spec = find_spec(name)
        finally:
            self._busy.discard(name)
        if spec is None or not hasattr(spec.loader, "exec_module"):
            return None
        load = spec.loader.exec_module

        def exec_module(module):
            load(module)
            for patch in _patches.pop(name, ()):
                patch(module)

        spec.loader.exec_module = exec_module
        return spec


def install():
    """Called once, before the application is imported."""
    sys.meta_path.insert(0, _Finder())
