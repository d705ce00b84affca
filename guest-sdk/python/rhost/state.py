"""What the application keeps from its import and its warm-up.

All of it is in the snapshot, and so the same at the beginning of every request.
"""

import gc
import io
import random
import sys
from functools import _lru_cache_wrapper


def state(root):
    """Names of what is kept, by its kind. `root` is the application's directory."""
    gc.collect()
    return {
        "generators": sorted(_named(root, lambda value: type(value) is random.Random)),
        "caches": sorted(_named(root, _is_filled)),
        "open": sorted(set(_opened())),
    }


def weight():
    """How many objects Python keeps track of, and how many octets they have (without strings and numbers)."""
    gc.collect()
    objects = gc.get_objects()
    return len(objects), sum(map(sys.getsizeof, objects))


def own_modules(root):
    """The application's modules, as (name, module, file)."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and file.startswith(root + "/"):
            yield name, module, file


def _named(root, wanted):
    """Attributes of the application's modules that are `wanted`."""
    seen = set()
    for name, module, _ in own_modules(root):
        for attribute, value in vars(module).items():
            if id(value) not in seen and wanted(value):
                seen.add(id(value))
                yield f"{name}.{attribute}"


def _is_filled(value):
    return type(value) is _lru_cache_wrapper and value.cache_info().currsize > 0


def _opened():
    """Files and databases that are open: no instance has them."""
    for thing in gc.get_objects():
        if type(thing) is io.FileIO:
            if not thing.closed and isinstance(thing.name, str) and not thing.name.startswith("<"):
                yield thing.name
        elif type(thing).__module__ in ("sqlite3", "_sqlite3") and type(thing).__name__ == "Connection":
            yield "a database of sqlite3"
