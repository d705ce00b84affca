"""Tests of the adapter in plain CPython, against a gateway in memory.

    python3 -m unittest discover -s guest-sdk/python/tests -t guest-sdk/python
"""

import os.path
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "bindings"))
