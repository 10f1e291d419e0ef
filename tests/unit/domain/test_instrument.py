"""The grid of an instrument, exact to the last digit, and the catalogue."""

from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.domain.errors import ConfigurationError, OffGridError, UnknownInstrumentError
from tandem.domain.ids import InstrumentId, Lots, MarketId, Ticks, VenueId
from tandem.domain.instrument import STEPS_MAX, Catalogue, Instrument

STEPS = st.builds(
    lambda digits, places: Decimal(digits).scaleb(-places),
    st.integers(1, 10**6),
    st.integers(0, 12),
)


def instrument(
    tick_size: str = "0.01", lot_size: str = "0.001", name: str = "T@x", market: str = "us"
) -> Instrument:
    symbol, venue = name.split("@")
    return Instrument(
        instrument_id=InstrumentId(name),
        symbol=symbol,
        venue_id=VenueId(venue),
        market_id=MarketId(market),
        base=symbol,
        quote="USD",
        tick_size=Decimal(tick_size),
        lot_size=Decimal(lot_size),
    )


@given(STEPS, st.integers(1, STEPS_MAX - 1))
def test_every_step_of_the_grid_reads_back_from_its_own_text(step: Decimal, count: int) -> None:
    one = instrument(str(step), str(step))
    assert one.price(one.price_text(Ticks(count))) == count
    assert one.quantity(one.quantity_text(Lots(count))) == count
    assert "E" not in one.price_text(Ticks(count))


@given(
    STEPS,
    st.one_of(
        st.decimals(-(10**12), 10**12, allow_nan=False).map(str),
        st.decimals().map(str),
        st.text(max_size=50),
    ),
)
def test_any_text_is_a_whole_number_of_steps_or_refused(step: Decimal, text: str) -> None:
    one = instrument(str(step))
    try:
        count = one.price(text)
    except OffGridError:
        return
    assert 0 < count < STEPS_MAX
    assert Fraction(Decimal(text)) == count * Fraction(step)


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "-0.01",
        "0.015",
        "abc",
        "",
        "nan",
        "sNaN",
        "inf",
        "-inf",
        "9e999999",
        "1e-999999",
        "0.0100000000000000000000000000000000001",
        "90071992547409.92",
        "1" * 41,
        "0." + "0" * 38 + "1",
    ],
)
def test_what_is_off_the_grid_is_refused(text: str) -> None:
    with pytest.raises(OffGridError, match=r"price of T: .* is not a positive multiple of 0\.01"):
        instrument().price(text)


def test_a_refusal_names_quantity_and_shortens_what_it_saw() -> None:
    with pytest.raises(OffGridError, match=r"^quantity of T: '9{40}' is not a pos.* of 0.001$"):
        instrument().quantity("9" * 1_000)


def test_the_largest_number_of_steps_is_below_two_to_the_53() -> None:
    assert instrument().price("90071992547409.91") == STEPS_MAX - 1


@given(STEPS, STEPS, st.integers(1, STEPS_MAX), st.integers(1, STEPS_MAX))
def test_notional_is_exact(tick: Decimal, lot: Decimal, price: int, quantity: int) -> None:
    one = instrument(str(tick), str(lot))
    found = one.notional(Ticks(price), Lots(quantity))
    assert Fraction(found) == Fraction(tick) * Fraction(lot) * price * quantity
    assert Fraction(one.step_value) == Fraction(tick) * Fraction(lot)


@pytest.mark.parametrize("bad", ["0", "-0.01", "NaN", "sNaN", "Infinity"])
def test_a_step_that_is_none_is_refused(bad: str) -> None:
    with pytest.raises(ConfigurationError, match=f"T@x: tick_size is {bad}, expected above 0"):
        instrument(tick_size=bad)
    with pytest.raises(ConfigurationError, match=f"T@x: lot_size is {bad}, expected above 0"):
        instrument(lot_size=bad)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("min_quantity", 0),
        ("min_notional", Decimal(-1)),
        ("min_notional", Decimal("NaN")),
    ],
)
def test_a_least_order_that_cannot_be_is_refused(name: str, value: object) -> None:
    """B22."""
    with pytest.raises(ConfigurationError, match="T@x: min_quantity is"):
        msgspec.structs.replace(instrument(), **{name: value})


def test_instruments_of_one_market_and_symbol_share_a_book() -> None:
    """C1."""
    here, there = instrument(name="T@x"), instrument(name="T@y")
    assert here.book_id == there.book_id == "us:T"
    assert instrument(market="coins").book_id != here.book_id


def test_an_instrument_survives_the_wire() -> None:
    one = instrument()
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(one), type=Instrument) == one


def test_instruments_are_found_by_id_and_by_symbol_in_the_order_given() -> None:
    given_order = (instrument(name="T@y"), instrument(name="F@x"), instrument(name="T@x"))
    catalogue = Catalogue(given_order)
    assert catalogue.instruments == given_order
    assert catalogue[InstrumentId("F@x")] == given_order[1]
    assert InstrumentId("F@x") in catalogue
    assert InstrumentId("F@y") not in catalogue
    assert catalogue.on_symbol("T") == (given_order[0], given_order[2])
    assert catalogue.on_symbol("Z") == ()


def test_an_unknown_id_is_named() -> None:
    with pytest.raises(UnknownInstrumentError, match="no instrument Z@x"):
        Catalogue([])[InstrumentId("Z@x")]


def test_one_id_stands_once() -> None:
    with pytest.raises(ConfigurationError, match="instrument T@x stands twice"):
        Catalogue([instrument(), instrument()])


def test_prices_of_one_book_must_be_comparable() -> None:
    """C1: two tick grids in one market would compare apples with pears."""
    coarse = instrument("0.05", name="T@y")
    with pytest.raises(ConfigurationError, match=r"T@y: tick size 0.05, but 0.01 elsewhere"):
        Catalogue([instrument(), coarse])
    other = instrument("0.05", name="T@y", market="coins")
    assert len(Catalogue([instrument(), other]).instruments) == 2
