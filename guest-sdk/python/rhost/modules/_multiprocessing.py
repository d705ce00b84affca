"""Processes: what `multiprocessing` is made of. There is one, and one thread in it."""

from rhost.absent import refusing

_WHY = "a sandbox is one process with one thread; do the work in the request, or in a service beside the app"

flags = {}
sem_unlink = refusing("sem_unlink", _WHY)


class SemLock:
    """A semaphore between processes."""

    SEM_VALUE_MAX = 0x7FFFFFFF

    def __init__(self, *args, **kwargs):
        refusing("SemLock", _WHY)()
