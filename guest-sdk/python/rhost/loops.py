"""asyncio's event loop where there are no sockets.

A loop wakes itself by a pair of sockets when another thread calls; here is no other. So
it has none, and coroutines that compute and sleep run to their end, as in an `async def`
view of Flask or Django. What they ask of the network fails, as it does without them.
"""

import time

from . import late


def install():
    """Called once, before the application is imported."""
    late.when("asyncio.selector_events", _patch)


def _patch(module):
    from selectors import SelectSelector

    class Selector(SelectSelector):
        """Waits for time alone where nothing else is waited for."""

        def select(self, timeout=None):
            if self.get_map():
                return super().select(timeout)
            if timeout is None:
                raise RuntimeError("this coroutine waits for what will not come: an instance has one thread, and no sockets")
            if timeout > 0:
                time.sleep(timeout)
            return []

    loop = module.BaseSelectorEventLoop
    make = loop.__init__

    def __init__(self, selector=None):
        make(self, Selector() if selector is None else selector)

    def _make_self_pipe(self):
        self._ssock = self._csock = None

    loop.__init__ = __init__
    loop._make_self_pipe = _make_self_pipe
    loop._close_self_pipe = lambda self: None
