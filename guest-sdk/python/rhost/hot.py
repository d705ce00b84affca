"""The code that requests run, put together.

CPython writes into code while it runs: counters, and which way branches went. What
was imported lies all over the heap, and so would the pages that each request writes
to. Copies that are made one after the other lie side by side.
"""

import gc
import sys
from types import CodeType, FunctionType

from . import heap


def used_by(run):
    """What of the code of Python functions `run` executes."""
    # By identity: code of two functions may be equal.
    used = {}

    def note(frame, event, _):
        if event == "call":
            used[id(frame.f_code)] = frame.f_code

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(before)
    return list(used.values())


def gather(used):
    """Has functions run copies of the code in `used`. A copy equals what it is of."""
    wanted = {id(code) for code in used}
    for code in used:
        # Code keeps these; what a copy had to make would lie between that and the next.
        code.co_code, code.co_varnames, code.co_cellvars, code.co_freevars
    functions = [each for each in gc.get_objects() if type(each) is FunctionType and _has(each.__code__, wanted)]
    copies = {}
    heap.stop_up()
    for function in functions:
        function.__code__ = _copy(function.__code__, wanted, copies)


def _has(code, wanted):
    """Whether code is wanted, or holds some that is: of functions that it makes."""
    return id(code) in wanted or any(_has(each, wanted) for each in code.co_consts if isinstance(each, CodeType))


def _copy(code, wanted, copies):
    new = copies.get(id(code))
    if new is None:
        if not _has(code, wanted):
            return code
        constants = code.co_consts
        if any(isinstance(each, CodeType) for each in constants):
            constants = [_copy(each, wanted, copies) if isinstance(each, CodeType) else each for each in constants]
        new = copies[id(code)] = code.replace(co_consts=tuple(constants))
    return new
