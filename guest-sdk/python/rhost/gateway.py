"""The contract's types, from the bindings that componentize-py generates.

The functions of the contract are not here: they are passed along as `server`,
so that a warm-up and a test can put something else in their place.
"""

from componentize_py_types import Err
from wit_world.imports import types

__all__ = ["Err", "types"]
