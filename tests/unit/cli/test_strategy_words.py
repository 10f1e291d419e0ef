"""What is typed of strategies."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tandem.cli.calling import BadInputError
from tandem.cli.strategy import saved_as
from tandem.cli.strategy_words import (
    AssignOptions,
    assignment_of,
    is_file,
    judged_parameters,
    parameters_of,
    text_of,
)
from tandem.cli.typed import Choice
from tandem.domain.bars import Span
from tandem.domain.errors import ConfigurationError, OffGridError
from tandem.domain.ids import Lots, SlotId
from tandem.domain.strategies import (
    Assignment,
    AssignmentId,
    Fixed,
    Language,
    PercentOfEquity,
    StrategyText,
    TextHash,
    VolatilityTarget,
)
from tandem.domain.strategy_views import SavedView, StrategiesView
from tandem.domain.views import CatalogueView
from tests.unit.core.trading.desk_driver import SECOND, X, instrument

HASH = TextHash("ab" * 32)
CHOICE = Choice(
    CatalogueView(
        instruments=tuple(instrument(one, X, "m", lot="0.5") for one in "TUV"),
        slots=(SlotId("w1"), SlotId("w2")),
        venues={},
    )
)


def typed(**options: Any) -> Assignment:
    return assignment_of(("cross", HASH), "T", AssignOptions(**options), CHOICE)


def test_an_assignment_is_typed_in_a_trader_s_words() -> None:
    """B13 B23."""
    found = typed(
        span="5m",
        accounts="w1, w2",
        quantity="2.5",
        param=("fast=10", "ratio=1.5", "on=true", "side=long"),
        others="U, V",
        may_short=True,
        good_for="30s",
        flat_by="15:55",
        name="mine",
    )
    assert found == Assignment(
        assignment_id=AssignmentId("mine"),
        text_hash=HASH,
        name="cross",
        symbol="T",
        span=Span.M5,
        slots=(SlotId("w1"), SlotId("w2")),
        sizing=Fixed(quantity=Lots(5)),
        parameters={"fast": 10, "ratio": 1.5, "on": True, "side": "long"},
        others=("U", "V"),
        may_short=True,
        good_for_ns=30 * SECOND,
        flat_by_ns=(15 * 60 + 55) * 60 * SECOND,
    )


def test_a_decision_is_good_as_long_as_its_bars_last_unless_told() -> None:
    """B25."""
    found = typed(span="4h", quantity="1")
    assert found.good_until_ns(7) == 7 + 4 * 3_600 * SECOND
    found = typed(span="4h", quantity="1", good_for="30s")
    assert found.good_until_ns(7) == 7 + 30 * SECOND


def test_a_full_position_is_a_quantity_or_a_share_of_equity_or_of_its_swings() -> None:
    """B3."""
    assert typed(percent="12.5").sizing == PercentOfEquity(ppm=125_000)
    found = typed(volatility="1", volatility_bars=50)
    assert found.sizing == VolatilityTarget(ppm_per_day=10_000, bars=50)
    assert found.assignment_id == "cross-T-1m"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "expected one of --quantity, --percent and --volatility"),
        ({"percent": "5", "quantity": "1"}, "expected one of"),
        ({"percent": "much"}, "expected per cent such as"),
        ({"percent": "nan"}, "expected per cent such as"),
        ({"percent": "inf"}, "expected per cent such as"),
        ({"percent": "0"}, "above 0"),
        ({"volatility": "0.00001"}, "to four places"),
        ({"percent": "1e999999999"}, "expected per cent such as"),
        ({"percent": "1e40"}, "expected per cent such as"),
        ({"percent": "5", "accounts": "w9"}, "--accounts: no slot 'w9'"),
        ({"percent": "5", "accounts": ","}, "--accounts ',': expected slots such as"),
        ({"percent": "5", "others": "T,Z"}, "no symbol 'Z'; traded here: T, U, V"),
        ({"percent": "5", "flat_by": "noon"}, "a time of the day"),
        ({"percent": "5", "flat_by": "25:00"}, "a time of the day"),
        ({"percent": "5", "good_for": "soon"}, "duration 'soon'"),
    ],
)
def test_what_cannot_be_is_refused_with_what_was_expected(
    options: dict[str, Any], says: str
) -> None:
    with pytest.raises(BadInputError, match=says):
        typed(**options)


def test_a_quantity_off_the_grid_and_an_unknown_symbol_are_refused() -> None:
    with pytest.raises(OffGridError):
        typed(quantity="0.3")
    with pytest.raises(BadInputError, match="no symbol 'Z'; traded here: T, U, V"):
        assignment_of(("cross", HASH), "Z", AssignOptions(percent="5"), CHOICE)


@pytest.mark.parametrize("word", ["fast", "fast=", "=3", "1x=3", "a b=3"])
def test_a_parameter_has_a_name_and_a_value(word: str) -> None:
    with pytest.raises(BadInputError, match="expected a name and a value"):
        parameters_of((word,))
    with pytest.raises(BadInputError, match="--param fast stands twice"):
        parameters_of(("fast=1", "fast=2"))


@pytest.mark.parametrize("number", ["nan", "-inf", "1e999", "9" * 30, "9" * 5_000])
def test_a_parameter_is_a_number_that_every_language_knows(number: str) -> None:
    with pytest.raises(BadInputError, match="expected a number within"):
        parameters_of((f"fast={number}",))


@pytest.mark.parametrize(
    ("language", "text", "says"),
    [
        (Language.LUA, "return params.fast", "mine reads no such parameter; it reads fast"),
        (Language.LUA, "return params.b or params.a", "it reads a, b"),
        (Language.LUA, "return 1 -- params.fats", "it reads none"),
        (Language.PYTHON, "def decide(params):\n    return params.fast", "it reads fast"),
        (Language.LUA, "return params['fats']", None),
        (Language.LUA, "return bar.params.x, params", None),
        (Language.LUA, "return '", None),
        (Language.PYTHON, "def decide(params):\n    return params['x'] or params.y", None),
        (Language.PYTHON, "def decide(params):\n    return sum(params)", None),
        (Language.PYTHON, "def decide(:", None),
        (Language.PYTHON, "def decide(params):\n    return params.fats", None),
    ],
)
def test_a_parameter_that_a_text_never_reads_was_mistyped(
    language: Language, text: str, says: str | None
) -> None:
    mine = StrategyText(name="mine", language=language, text=text)
    assert judged_parameters({}, mine) == {}
    if says is None:
        assert judged_parameters({"fats": 1}, mine) == {"fats": 1}
        return
    with pytest.raises(BadInputError, match=f"--param fats: .*{says}$"):
        judged_parameters({"fats": 1}, mine)


def test_a_file_is_read_and_called_like_it(tmp_path: Path) -> None:
    """B16 B19."""
    file = tmp_path / "cross.lua"
    file.write_text("return 'long'")
    text = text_of(file)
    assert (text.name, text.language, text.text) == ("cross", Language.LUA, "return 'long'")
    assert text_of(file, "mine").name == "mine"
    assert (is_file("a.py"), is_file("cross")) == (True, False)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="No such file"):
        text_of(tmp_path / "no.lua")
    other = tmp_path / "cross.txt"
    with pytest.raises(BadInputError, match=r"ends in \.lua or \.py"):
        text_of(other)
    raw = tmp_path / "raw.py"
    raw.write_bytes(b"x = \xff")
    with pytest.raises(BadInputError, match="byte 4 is not UTF-8"):
        text_of(raw)
    long = tmp_path / "long.lua"
    long.write_text("-" * 70_000)
    with pytest.raises(ConfigurationError, match="65536"):
        text_of(long)


def saved(name: str, start: str, *, is_newest: bool = True) -> SavedView:
    return SavedView(
        name=name,
        language=Language.LUA,
        text_hash=TextHash(start.ljust(64, "0")),
        is_newest=is_newest,
        names=(name,) if is_newest else (),
    )


def test_a_saved_text_is_found_by_its_name_or_its_hash() -> None:
    texts = (saved("a", "11", is_newest=False), saved("a", "12"), saved("b", "2"))
    view = StrategiesView(version=1, texts=texts)
    assert saved_as(view, "a")[1].startswith("12")
    assert saved_as(view, "11")[0] == "a"
    twice = msgspec.structs.replace(texts[1], names=("a", "c"))
    view = msgspec.structs.replace(view, texts=(texts[0], twice, texts[2]))
    assert saved_as(view, "c") == ("c", twice.text_hash)
    with pytest.raises(BadInputError, match="several begin so"):
        saved_as(view, "1")
    with pytest.raises(BadInputError, match="saved are a, b, c"):
        saved_as(view, "z")
    with pytest.raises(BadInputError, match="saved are none"):
        saved_as(StrategiesView(version=1), "")
