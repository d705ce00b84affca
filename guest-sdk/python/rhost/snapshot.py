"""The last that is done before the snapshot is made, so that a request writes to few
of its pages.
"""

import gc
import time
import weakref

from . import heap, hot, immortal, warm_up

# How often the warm-up's requests are repeated, for CPython to know what to expect of
# the code that they run, and how many seconds that may take.
_ROUNDS = 16
_SECONDS = 2


def settle(app, requests):
    """Nothing is imported or thrown away after this."""
    if requests:
        used = hot.used_by(lambda: _repeat(app, requests, 1))
        hot.gather(used)
        _repeat(app, requests, _ROUNDS)
    gc.collect()
    immortal.note()
    # What the snapshot holds is never garbage, and looking it over would touch pages
    # that are shared until then.
    gc.freeze()
    heap.stop_up()


class _Handle:
    """As componentize-py hands over what belongs to the server: with a finalizer."""

    def __init__(self):
        self.finalizer = weakref.finalize(self, int, 0)


def _repeat(app, requests, rounds):
    until = time.monotonic() + _SECONDS
    for _ in range(rounds):
        for request in requests:
            _Handle()
            warm_up.ask(app, request)
        if time.monotonic() > until:
            break
