"""Who runs a program: WASI has no users, and some packages ask all the same.

They want a number for the name of a directory, as platformdirs does, or to know
that they are not root.
"""

import os

# The number that most systems have for `nobody`.
NOBODY = 65534

_ASKED = ("getuid", "geteuid", "getgid", "getegid")


def install():
    """Adds what is not there to the module os."""
    for name in _ASKED:
        if not hasattr(os, name):
            setattr(os, name, _nobody)


def _nobody():
    return NOBODY
