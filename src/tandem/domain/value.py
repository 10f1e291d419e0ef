"""How every value is laid out: frozen, and an array on the wire and in the journal."""

import msgspec


class Value(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """Root of everything that is recorded or sent.

    `gc=False`: a value refers to other values only, so no cycle can run through it.
    """
