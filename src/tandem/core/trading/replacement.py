"""What a parent is being changed to, while it is."""

import msgspec

from tandem.domain.ids import Lots, Ticks
from tandem.domain.parents import ParentSpec


class Replacement(msgspec.Struct, array_like=True, gc=False):
    """What a parent is being changed to: lowered in place, or else canceled and placed anew."""

    quantity: Lots
    limit_price: Ticks | None
    is_anew: bool

    def applied(self, spec: ParentSpec, quantity: Lots) -> ParentSpec:
        """Return the spec as changed, to the quantity that it came to."""
        return msgspec.structs.replace(spec, quantity=quantity, limit_price=self.limit_price)
