"""Following many orders."""

import io
from collections.abc import Sequence
from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tandem.cli.following import ASKED_MAX, Following
from tandem.domain.ids import CommandId, ParentId
from tandem.domain.order import Side
from tandem.domain.views import OrdersView, ParentView
from tandem.wiring.asking import DeskLine

WORKING = ParentView(
    parent_id=ParentId("d1-1"),
    command_id=CommandId("run:1"),
    symbol="T",
    side=Side.BUY,
    quantity="8",
    limit_price=None,
    phase="working",
    outcome=None,
    text="",
    children=8,
    fills=0,
    filled="0",
    average_price=None,
    value=Decimal(0),
    fees=Decimal(0),
    skew_ns=None,
    owner=None,
)


class ForgetfulLine(DeskLine):
    """A desk whose orders end at their n-th look, and that then forgets them."""

    def __init__(self, looks: dict[str, int]) -> None:
        super().__init__("nowhere")
        self._looks = looks
        self.asked_max = 0

    async def orders(self, ids: Sequence[str] = (), limit: int = 100) -> OrdersView:
        self.asked_max = max(self.asked_max, len(ids))
        return OrdersView(
            parents=tuple(found for key in ids if (found := self._seen(key)) is not None), both=()
        )

    def _seen(self, key: str) -> ParentView | None:
        self._looks[key] -= 1
        if self._looks[key] < 0:
            return None
        phase = "working" if self._looks[key] else "done"
        return msgspec.structs.replace(WORKING, parent_id=ParentId(key), phase=phase)


@given(st.lists(st.integers(min_value=1, max_value=2), max_size=3 * ASKED_MAX))
async def test_every_end_is_seen_before_it_is_forgotten(looks: list[int]) -> None:
    names = {f"d1-{number}": count for number, count in enumerate(looks)}
    line = ForgetfulLine(dict(names))
    following = Following(line)
    for name in names:
        await following.add(name)
    await following.until_ended(io.StringIO())
    assert sorted(following.views) == sorted(names)
    assert all(one.phase == "done" for one in following.views.values())
    assert line.asked_max <= ASKED_MAX
