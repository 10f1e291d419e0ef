"""Seeded chance: the same numbers on every machine, from a state of one integer.

The generator is splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number
generators", 2014): a counter that is scrambled, so that any 64-bit seed is a good one.
"""

from typing import Final

import msgspec

_MASK: Final = 2**64 - 1
_STRIDE: Final = 0x9E3779B97F4A7C15


def advanced(state: int) -> int:
    """Return the state after `state`."""
    return (state + _STRIDE) & _MASK


def scrambled(state: int) -> int:
    """Return the number from 0 to 2**64 - 1 that belongs to `state`."""
    mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
    return mixed ^ (mixed >> 31)


class Chance(msgspec.Struct, gc=False):
    """A running source of numbers, owned by one actor and kept in its snapshots."""

    state: int

    def below(self, bound: int) -> int:
        """Return a number from 0 to `bound - 1`; `bound` is at least 1.

        The remainder favors small numbers, by less than one in 2**32 for a bound up to that.
        """
        self.state = advanced(self.state)
        return scrambled(self.state) % bound

    def between(self, *, lowest: int, highest: int) -> int:
        """Return a number from `lowest` to `highest`; `lowest` when they are the wrong way."""
        return lowest + self.below(max(highest - lowest, 0) + 1)

    def happens(self, probability: float) -> bool:
        """Return whether something of that probability happens; nothing is drawn for 0.

        An integer compares with a float exactly, and scaling by a power of two is exact too.
        """
        if probability <= 0:
            return False
        self.state = advanced(self.state)
        return scrambled(self.state) < probability * 2**64


def seeded(seed: int) -> Chance:
    """Return the source that belongs to `seed`, any integer."""
    return Chance(state=seed & _MASK)
