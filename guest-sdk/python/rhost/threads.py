"""Threads in a world that has one.

What a thread does is done when it is started, before `start` returns; a pool does what
it is given at once. That is what most programs want of them: to be told of a change,
to send a mail, to fetch something beforehand. A thread that waits for another, or goes
round for ever with a sleep between, is ended where it waits, and the log says so.
"""

import sys
import threading
import time
from traceback import extract_stack

from . import late

# Seconds that a thread may sleep in all. Whoever has started it sleeps so long.
_SLEEP = 1.0

# How many threads run in line, one in the other, and how long the innermost has slept.
_depth = 0
_slept = 0.0
_told = set()

_sleep = time.sleep


class Parked(BaseException):
    """A thread waits for what only another could do: it is not gone on with."""


def install():
    """Called once, before the application is imported."""
    threading.Thread.start = _start
    threading.Thread.join = _join
    threading.Thread.is_alive = _is_alive
    threading.Condition.wait = _wait
    time.sleep = _sleep_some
    late.when("concurrent.futures.thread", _pools)
    late.when("concurrent.futures.process", _processes)
    late.when("multiprocessing.process", _child_processes)


def _start(self):
    """Start the thread's activity: all of it, in line."""
    global _depth, _slept
    if not self._initialized:
        raise RuntimeError("thread.__init__() not called")
    if self._started.is_set():
        raise RuntimeError("threads can only be started once")
    ident = threading.get_ident()
    starter = threading._active.get(ident)
    # What looks for the current thread finds it while it runs.
    self._ident = ident
    self._started.set()
    threading._active[ident] = self
    slept, _depth, _slept = _slept, _depth + 1, 0.0
    try:
        self.run()
        _tell(self, "ran to its end when it was started: an instance has one thread")
    except SystemExit:
        pass
    except Parked as parked:
        _tell(self, f"was ended where it {parked}: an instance has one thread, and ends with its request; do such "
                    "work in the request, or in a service beside the app")
    except BaseException:
        self._invoke_excepthook(self)
    finally:
        _depth, _slept = _depth - 1, slept
        if starter is None:
            threading._active.pop(ident, None)
        else:
            threading._active[ident] = starter


def _tell(thread, how):
    """Once for each kind of thread."""
    target = type(thread).run
    key = f"{target.__module__}.{target.__qualname__}", thread.name.rstrip("0123456789-"), how
    if key not in _told:
        _told.add(key)
        print(f"rhost: the thread {thread.name} {how}", file=sys.stderr)


def _join(self, timeout=None):
    """Wait until the thread terminates, as it has."""
    if not self._initialized:
        raise RuntimeError("Thread.__init__() not called")
    if not self._started.is_set():
        raise RuntimeError("cannot join thread before it is started")
    if self is threading.current_thread():
        raise RuntimeError("cannot join current thread")


def _is_alive(self):
    """Return whether the thread is alive: while it is run, and the main thread always."""
    if isinstance(self, threading._MainThread):
        return True
    return self._started.is_set() and self is threading._active.get(self._ident)


def _where():
    """The line of the program that waits: the last outside of the standard library."""
    stack = extract_stack(sys._getframe(2))
    lines = [frame for frame in stack if not frame.filename.startswith(("/python/", "/1/"))]
    frame = (lines or stack)[-1]
    return f"{frame.filename}:{frame.lineno}"


def _wait(self, timeout=None):
    """Wait until notified or until a timeout occurs. There is nobody who could notify."""
    if not self._is_owned():
        raise RuntimeError("cannot wait on un-acquired lock")
    if _depth:
        raise Parked(f"waits for another ({_where()})")
    if timeout is None:
        raise RuntimeError("this waits for another thread for ever: an instance has one; do what it waits for in the request")
    _sleep(max(timeout, 0))
    return False


def _sleep_some(seconds):
    """Delay execution for a number of seconds."""
    global _slept
    if _depth:
        if _slept + seconds > _SLEEP:
            raise Parked(f"sleeps {seconds} seconds ({_where()})")
        _slept += seconds
    _sleep(seconds)


def _pools(module):
    future = module._base.Future

    def submit(self, fn, /, *args, **kwargs):
        """Does it at once."""
        with self._shutdown_lock, module._global_shutdown_lock:
            if self._shutdown:
                raise RuntimeError("cannot schedule new futures after shutdown")
        task = self._resolve_work_item_task(fn, args, kwargs)
        if "_rhost_context" not in self.__dict__:
            self._rhost_context = self._create_worker_context()
            self._rhost_context.initialize()
        done = future()
        done.set_running_or_notify_cancel()
        try:
            done.set_result(self._rhost_context.run(task))
        except BaseException as error:
            done.set_exception(error)
        return done

    module.ThreadPoolExecutor.submit = submit


_ONE_PROCESS = "a sandbox is one process; use a thread, or a service beside the app"


def _processes(module):
    from .absent import refusing
    module.ProcessPoolExecutor.submit = refusing("ProcessPoolExecutor.submit", _ONE_PROCESS)


def _child_processes(module):
    from .absent import refusing
    module.BaseProcess.start = refusing("multiprocessing.Process.start", _ONE_PROCESS)
