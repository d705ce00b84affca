"""pip, which picks dependencies for where they will run, not for where it runs.

`legacy-cgi; python_version >= "3.13"` has to be installed by an older Python
too. pip has flags for another interpreter, but evaluates such markers for its
own all the same; so their environment is replaced.
"""

import sys

from pip._internal.cli.main import main
from pip._vendor.packaging import markers

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

markers.default_environment = lambda: {**own(), **GUEST}
sys.exit(main(sys.argv[1:]))
