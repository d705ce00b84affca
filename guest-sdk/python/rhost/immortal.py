"""What the snapshot holds, for the build to make immortal (PEP 683).

CPython counts references in the objects themselves, so that a request which only
reads what was imported writes to all of it, and each page that is written to costs
the server a fault and a copy. An immortal object is not counted. Nothing in a
snapshot has to be: an instance lives for a request, and the next one begins anew.
Python cannot make an object immortal; the build does, in the finished component,
where this says.
"""

import gc
from array import array
from opcode import _inline_cache_entries, _specializations, _specialized_opmap, opmap
from types import CodeType

# How the list begins, by which it is found. So it must lie in memory once.
_MAGIC = (0x74736F68, 0x6D6D6972, 0x6174726F, 0x0A0D0A1A)

# No two objects begin in the same so many octets.
_UNIT = 16

# Objects that code holds, and does not tell the garbage collector of.
_OF_CODE = ("co_consts", "co_names", "co_varnames", "co_freevars", "co_cellvars", "co_filename", "co_name", "co_qualname")

# They stay, and the list of their places with them.
_held = []


def note():
    """Lists where all objects are that can be found."""
    loads = array("I")
    for thing in _everything():
        _held.append(thing)
        if type(thing) is CodeType:
            loads.extend(_counting_loads(thing))
    places = array("I", _MAGIC)
    places.extend((0, len(_held), len(loads), _specialized_opmap["LOAD_CONST_IMMORTAL"]))
    places.extend(map(id, _held))
    places.extend(loads)
    # Where it is itself: a copy elsewhere says something else.
    places[4], _ = places.buffer_info()
    _held.append(places)


def _everything():
    seen = bytearray(1 << 18)
    ahead = gc.get_objects()
    while ahead:
        thing = ahead.pop()
        place, bit = divmod(id(thing) // _UNIT, 8)
        if place >= len(seen):
            seen.extend(bytes(place))
        if seen[place] & 1 << bit:
            continue
        seen[place] |= 1 << bit
        yield thing
        ahead += gc.get_referents(thing)
        if type(thing) is dict:
            # It does not tell of its keys if they are strings.
            ahead += thing
        elif type(thing) is CodeType:
            ahead += [getattr(thing, name) for name in _OF_CODE]


def _lengths():
    """Octets of each instruction with its caches."""
    lengths = {}
    for name, code in (*opmap.items(), *_specialized_opmap.items()):
        lengths[code] = 2 + 2 * _inline_cache_entries.get(name, 0)
    for name, special in _specializations.items():
        for each in special:
            lengths[_specialized_opmap[each]] = lengths[opmap[name]]
    return lengths


_LENGTHS = _lengths()
_LOAD_CONST_MORTAL = _specialized_opmap["LOAD_CONST_MORTAL"]


def _counting_loads(code):
    """Where instructions are that count what they load, although all of it is immortal."""
    octets = code._co_code_adaptive
    begin = id(code) + CodeType.__basicsize__
    at = 0
    # Where a profiler has been, there are others.
    while at < len(octets) and octets[at] in _LENGTHS:
        if octets[at] == _LOAD_CONST_MORTAL:
            yield begin + at
        at += _LENGTHS[octets[at]]
