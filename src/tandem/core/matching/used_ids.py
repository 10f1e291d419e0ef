"""Client order ids that were ever used, remembered for ever in about ten bytes each.

An id is kept as 80 bits of its BLAKE2b digest: two choose a shelf, eight stand on it. Among ten
million ids the chance that any new one is refused by mistake is below 10**-10.
"""

from hashlib import blake2b
from typing import Final

import msgspec

_TAIL: Final = 8
_SHELF: Final = 2


class UsedIds(msgspec.Struct, gc=False):
    """The ids used on one account."""

    shelves: dict[int, bytearray]

    def holds(self, client_order_id: str) -> bool:
        """Return whether that id was added before."""
        number, tail = _place(client_order_id)
        shelf = self.shelves.get(number, b"")
        at = shelf.find(tail)
        while at % _TAIL > 0:  # found across two neighbors, or not at all (-1 % 8 is 7)
            if at < 0:
                return False
            at = shelf.find(tail, at + 1)
        return True

    def add(self, client_order_id: str) -> None:
        """Remember that id."""
        number, tail = _place(client_order_id)
        self.shelves.setdefault(number, bytearray()).extend(tail)


def _place(client_order_id: str) -> tuple[int, bytes]:
    # Surrogates cannot come over the wire, but a repeated one must not raise either.
    text = client_order_id.encode(errors="surrogatepass")
    digest = blake2b(text, digest_size=_SHELF + _TAIL).digest()
    return int.from_bytes(digest[:_SHELF]), digest[_SHELF:]
