"""What a process may use: the server's limits, which are not asked of it here."""

import time
from typing import NamedTuple

error = OSError
RLIM_INFINITY = -1
RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_CORE, RLIMIT_RSS = 0, 1, 2, 3, 4, 5
RLIMIT_NPROC, RLIMIT_NOFILE, RLIMIT_MEMLOCK, RLIMIT_AS = 6, 7, 8, 9
RUSAGE_SELF, RUSAGE_CHILDREN, RUSAGE_THREAD = 0, -1, 1


class struct_rusage(NamedTuple):
    """What was used."""

    ru_utime: float = 0.0
    ru_stime: float = 0.0
    ru_maxrss: int = 0
    ru_ixrss: int = 0
    ru_idrss: int = 0
    ru_isrss: int = 0
    ru_minflt: int = 0
    ru_majflt: int = 0
    ru_nswap: int = 0
    ru_inblock: int = 0
    ru_oublock: int = 0
    ru_msgsnd: int = 0
    ru_msgrcv: int = 0
    ru_nsignals: int = 0
    ru_nvcsw: int = 0
    ru_nivcsw: int = 0


def getrlimit(resource, /):
    """None is told."""
    return RLIM_INFINITY, RLIM_INFINITY


def setrlimit(resource, limits, /):
    raise ValueError("a sandbox's limits are the server's; `rhost serve --help` has them")


def getrusage(who, /):
    """Time of the processor, of this process."""
    return struct_rusage(ru_utime=time.process_time() if who != RUSAGE_CHILDREN else 0.0)


def getpagesize():
    return 65536
