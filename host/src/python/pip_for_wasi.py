"""pip, which picks dependencies for where they will run, not for where it runs.

`legacy-cgi; python_version >= "3.13"` has to be installed by an older Python
too. pip has flags for another interpreter, but evaluates such markers for its
own all the same; so their environment is replaced, and so is the version that
each package's `Requires-Python` is held against.
"""

import sys

from pip._internal.cli.main import main
from pip._internal.models.target_python import TargetPython
from pip._internal.resolution.resolvelib.candidates import RequiresPythonCandidate
from pip._vendor.packaging import markers

VERSION = (3, 14, 0)

own = markers.default_environment

GUEST = {
    "implementation_version": "3.14.0",
    "platform_machine": "wasm32",
    "platform_python_implementation": "CPython",
    "platform_system": "wasi",
    "python_full_version": "3.14.0",
    "python_version": "3.14",
    "sys_platform": "wasi",
}

target = TargetPython.__init__
candidate = RequiresPythonCandidate.__init__


def target_of_guest(self, platforms=None, py_version_info=None, abis=None, implementation=None):
    target(self, platforms, py_version_info or VERSION, abis, implementation)


markers.default_environment = lambda: {**own(), **GUEST}
TargetPython.__init__ = target_of_guest
RequiresPythonCandidate.__init__ = lambda self, version: candidate(self, version or VERSION)
sys.exit(main(sys.argv[1:]))
