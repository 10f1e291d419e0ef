"""Tables and JSON."""

import io
import json
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tandem.cli.printing import HIDDEN, amount, milliseconds, plain, table, write_json
from tandem.domain.ids import AccountId, Lots
from tandem.domain.order import Side
from tandem.domain.parents import ParentSpec
from tandem.domain.venue import Login


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    text = table(("name", ">count"), [("a", 5), ("longer", 12_000), (None, None)])
    assert text == "name    count\na           5\nlonger  12000\n-           -\n"


def test_json_has_names_and_exact_numbers_as_text() -> None:
    out = io.StringIO()
    spec = ParentSpec(symbol="T", side=Side.BUY, quantity=Lots(3))
    write_json({"spec": spec, "price": Decimal("0.10"), "hash": b"\x01\xff"}, out)
    found = json.loads(out.getvalue())
    assert found["price"] == "0.10"
    assert found["hash"] == "01ff"
    assert found["spec"]["symbol"] == "T"
    assert found["spec"]["side"] == "buy"
    assert found["spec"]["rounding"] == {"min_percent": 50, "max_percent": 150}
    assert found["spec"]["slots"] == []


def test_a_message_says_its_kind_and_keeps_its_secret() -> None:
    """A6."""
    login = Login(account_id=AccountId("A1"), secret="planted")  # noqa: S106 - none of anybody
    assert plain(login) == {"kind": "login", "account_id": "A1", "secret": HIDDEN}


@given(st.decimals(allow_nan=False, allow_infinity=False, places=8, min_value=-(10**12)))
def test_no_digit_of_an_amount_is_lost(value: Decimal) -> None:
    assert Decimal(amount(value).replace(",", "")) == value
    assert Decimal(str(plain(value))) == value


def test_a_duration_that_is_not_known_is_a_dash() -> None:
    assert milliseconds(None) == "-"
    assert milliseconds(1_234_567) == "1.23 ms"
