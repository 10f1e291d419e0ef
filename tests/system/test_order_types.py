"""Orders with terms, and orders that are replaced, on a pool of real processes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.running import pool, tandem, wait_for


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    found = tmp_path_factory.mktemp("types") / "home"
    with pool(found):
        yield found


def _order(home: Path, *words: object) -> str:
    """Give an order, and return its id."""
    code, out, err = tandem("order", *words, "--home", home, "--json")
    assert code == 0, out + err
    return str(json.loads(out)["says"]["order_id"])


def _shown(home: Path, order_id: str) -> dict[str, Any]:
    code, out, err = tandem("orders", "--home", home, "--json")
    assert code == 0, err
    found = [one for one in json.loads(out)["parents"] if one["parent_id"] == order_id]
    assert len(found) == 1, out
    return dict(found[0])


def _cancel_all(home: Path) -> None:
    code, out, err = tandem("order", "cancel", "--all", "--wait", "--home", home)
    assert code == 0, out + err


def _open_orders(home: Path, count: int) -> None:
    wait_for(home, lambda status: sum(one.open_orders for one in status.slots) == count)


def test_a_resting_order_is_lowered_in_place_and_moved_by_a_new_one(home: Path) -> None:
    """A7, I1: the attempts are the same after lowering, and others after the price has moved."""
    order_id = _order(home, "buy", "GE", 80, "--price", "12.50")
    _open_orders(home, 8)
    code, out, err = tandem("order", "replace", order_id, "--quantity", 40, "--home", home)
    assert code == 0, out + err
    assert "keeps its place in the queue" in out
    wait_for(home, lambda _: _shown(home, order_id)["quantity"] == "40")
    code, out, _ = tandem("orders", "show", order_id, "--home", home)
    assert out.count("lowered to 5") == 8
    code, out, err = tandem("order", "replace", order_id, "--price", "12.60", "--home", home)
    assert code == 0, out + err
    assert "loses its place in the queue" in out
    wait_for(home, lambda _: _shown(home, order_id)["limit_price"] == "12.60")
    shown = _shown(home, order_id)
    assert (shown["quantity"], shown["phase"], shown["children"]) == ("40", "working", 16)
    _open_orders(home, 8)
    _cancel_all(home)


def test_stops_dates_and_reduce_only_reach_the_exchange_and_are_shown(home: Path) -> None:
    """A7: a stop waits there, a date ends its order, and nobody sells what he has not."""
    stop_id = _order(home, "buy", "AAL", 16, "--stop", "90.00", "--price", "91.00")
    dated_id = _order(home, "buy", "GE", 16, "--price", "12.50", "--until", "3s")
    code, out, _ = tandem("orders", "--home", home)
    assert "91.00, stop 90.00" in out
    assert "until 20" in out
    wait_for(home, lambda _: _shown(home, dated_id)["phase"] == "done")
    assert _shown(home, dated_id)["outcome"] == "incomplete"
    assert _shown(home, stop_id)["phase"] == "working"
    _cancel_all(home)
    code, out, err = tandem(
        "order", "buy", "AAL", 16, "--price", "1", "--reduce-only", "--home", home
    )
    assert code == 1
    assert "there is no position in AAL that a buy order would reduce" in out + err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("buy", "GE", 16, "--trail", "0.10"), "a trail needs a stop price"),
        (("buy", "GE", 16, "--stop", "0.01"), "there already"),
        (("replace", "d1-999", "--quantity", 5), "no order d1-999"),
        (("replace", "d1-1"), "expected --quantity, --price or both"),
        (("buy", "GE", 16, "--until", "yesterday"), "expected a duration"),
        (("buy", "GE", 16, "--until", "5s", "--tif", "gtc"), "give one of them"),
    ],
)
def test_what_cannot_be_is_said(home: Path, words: tuple[object, ...], says: str) -> None:
    """A7."""
    code, out, err = tandem("order", *words, "--home", home)
    assert code in (1, 2)
    assert says in out + err
