"""Holes in the heap are filled, and nothing else is."""

import gc
import unittest

from rhost import heap


class Heap:
    """An allocator: takes the first hole that is large enough, else the end."""

    def __init__(self, holes):
        self.holes = dict(holes)
        self.end = 1 << 24
        self.blocks = {}

    def make(self, size):
        size = -(-(size + heap.HEAD) // heap.UNIT) * heap.UNIT
        # At the end whatever is not kept is free again.
        place = next((place for place in sorted(self.holes) if self.holes[place] >= size), self.end)
        if place != self.end:
            left = self.holes.pop(place) - size
            if left:
                self.holes[place + size] = left
        return place, size

    @staticmethod
    def address(block):
        return block[0]


class Filling(unittest.TestCase):
    def test_no_hole_is_left(self):
        holes = {place << 16: size for place, size in enumerate((16, 32, 48, 2032, 4096, 65536, 16, 80))}
        heap_ = Heap(holes)
        fillings = []
        filled = heap.fill(fillings, heap_.make, heap_.address)
        self.assertEqual(heap_.holes, {})
        self.assertEqual(filled, sum(holes.values()))
        self.assertEqual(sum(size for _, size in fillings), filled)
        self.assertTrue(all(place < heap_.end for place, _ in fillings))

    def test_what_was_never_full_is_given_up(self):
        fillings = []
        filled = heap.fill(fillings, bytes, len)
        self.assertGreaterEqual(filled, heap.LIMIT)
        self.assertLess(filled, heap.LIMIT + (1 << 18) + 1)

    def test_garbage_is_collected_as_before(self):
        for switch, expected in ((gc.disable, False), (gc.enable, True)):
            switch()
            self.addCleanup(gc.enable)
            self.addCleanup(heap._fillings.clear)
            heap.stop_up()
            self.assertEqual(gc.isenabled(), expected)


if __name__ == "__main__":
    unittest.main()
