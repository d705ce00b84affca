"""Holes in the heap, stopped up before the snapshot is made.

Importing and compiling leave thousands of small holes, all over the heap. A request
would fill them with its own objects, and so write to pages here and there, each of
which costs the server a page fault and a copy. When there is no hole left, what a
request makes lies together, behind all that the snapshot holds.
"""

import gc

# What a request can use before the heap has to grow, which costs system calls.
RESERVE = 2 << 20
# The most that is put into holes, in octets and in number. Flask leaves 10,000 of
# them, of 2.2 MiB together.
LIMIT = 64 << 20
MOST = 1 << 18

# Octets that the allocator adds to a block, and what its blocks are multiples of.
HEAD = 4
UNIT = 16
# The largest block, and where each size has its turn, not every fourth.
_LARGEST = 1 << 18
_SMALL = 2 << 10

_fillings = []


def stop_up():
    """Fills the holes; what fills them stays for good. Returns how much it was."""
    # Lists that Python keeps of what it has freed are emptied too.
    gc.collect()
    enabled = gc.isenabled()
    gc.disable()
    try:
        return fill(_fillings, _filling, id)
    finally:
        if enabled:
            gc.enable()


def fill(fillings, make, address):
    """Fills holes with what `make` makes of a number of octets, largest first."""
    # A list that grew would leave holes itself.
    fillings[:] = [None] * MOST
    end = _end(make, address)
    count = filled = 0
    for block in _blocks():
        while count < MOST and filled < LIMIT:
            filling = make(block - HEAD)
            if address(filling) >= end:
                break
            fillings[count] = filling
            count += 1
            filled += block
        filling = None
    del fillings[count:]
    return filled


def _end(make, address):
    """Where what has no place in a hole comes from. The reserve itself may have one; two
    that lie side by side are at the end of the heap."""
    last, places = make(RESERVE), []
    for _ in range(8):
        places.append(last)
        last = make(RESERVE)
        if abs(address(last) - address(places[-1])) <= RESERVE + UNIT:
            break
    return min(address(last), address(places[-1]))


def _filling(size):
    """An object of so many octets; the smallest that there is has eight."""
    return bytes(size - bytes.__basicsize__) if size > bytes.__basicsize__ else object()


def _blocks():
    """Sizes of blocks, from the largest to the smallest."""
    block = _LARGEST
    while block > _SMALL:
        yield block
        block = block * 3 // 4 // UNIT * UNIT
    yield from range(_SMALL, 0, -UNIT)
