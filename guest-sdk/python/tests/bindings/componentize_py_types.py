"""As componentize-py generates it, cut down to what the adapter uses."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Err(Exception):
    value: Any
