"""What is said of feeds, and of recordings."""

import io
import json
from pathlib import Path

import msgspec
import pytest

from tandem.cli.feeds import compared, facts_of, show_compared, show_facts, show_live
from tandem.cli.main import BAD_INPUT, FAILED, NO_COORDINATOR, OK, run
from tandem.core.market.comparing import APART_NS, APART_PPM
from tandem.domain.ids import VenueId
from tandem.domain.views import FeedView
from tandem.wiring.feeds import absolute, open_feeds, places_of

HEAD = "time,open,high,low,close,volume\n"


def bars(path: Path, *rows: str) -> str:
    path.write_text(HEAD + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return f"{path}?symbol=ADAUSDT&span=1m&clock=s"


def command(*arguments: str) -> int:
    return run(["feeds", *arguments], io.StringIO(), err=io.StringIO())


def test_the_facts_of_a_recording_are_printed(tmp_path: Path) -> None:
    """A26, A49."""
    place = bars(tmp_path / "a.csv", "60,0.5,0.5,0.25,0.5,3", "300,0.5,0.5,0.5,0.25,1")
    (opened,) = open_feeds([place])
    assert str(opened.instrument.tick_size) == "0.01"
    assert (opened.instrument.base, opened.instrument.quote) == ("ADA", "USDT")
    out = io.StringIO()
    assert show_facts([facts_of(opened)], out, as_json=False) == OK
    lines = [line.split(maxsplit=1) for line in out.getvalue().splitlines()]
    assert lines[0] == ["ADAUSDT,", f"bars of 60 s: {place}"]
    assert ["rows", "2: 2 trade_bars"] in lines
    assert ["from", "1970-01-01 00:02:00.000000 UTC"] in lines
    assert ["gaps", "1, 3 bars missing"] in lines
    assert ["not", "used         1 shape"] in lines
    out = io.StringIO()
    show_facts([facts_of(opened)], out, as_json=True)
    assert json.loads(out.getvalue())[0]["not_used"] == {"shape": 1}


def test_single_messages_have_bursts_and_an_empty_recording_has_nothing(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("time,price,size\n", encoding="utf-8")
    out = io.StringIO()
    show_facts([facts_of(open_feeds([f"{path}?symbol=BTCUSD"])[0])], out, as_json=False)
    assert "bursts           0, at most 0 messages a second" in out.getvalue()
    assert "  from             -\n" in out.getvalue()


def test_two_feeds_that_agree_are_fine_and_those_that_do_not_are_named(tmp_path: Path) -> None:
    """A49."""
    rows = [f"{60 * n},10,10,10,10,1" for n in range(1, 9)]
    first = open_feeds([bars(tmp_path / "a.csv", *rows)])
    known = [one.instrument for one in first]
    wrong = [row.replace("10,10,10,10", "11,11,11,11") for row in rows[4:]]
    for others, code in ((rows, OK), ([*rows[:4], *wrong], FAILED), ([], FAILED)):
        second = open_feeds([bars(tmp_path / "b.csv", *others)], known)
        found = compared(first, other=second, bound_ppm=APART_PPM, span_ns=APART_NS)
        for as_json in (False, True):
            out = io.StringIO()
            assert show_compared(found, out, as_json=as_json) == code
            assert "ADAUSDT" in out.getvalue()
            assert ("apart at the end" in out.getvalue()) is (wrong[0] in others and not as_json)


def test_the_commands_read_what_they_are_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = bars(tmp_path / "a.csv", "60,1,1,1,1,3", "120,1,1,1,1,3")
    assert command("show", place, place) == OK
    assert capsys.readouterr().out.count("ADAUSDT, bars") == 2
    assert command("check", place, place, "--span", "5s", "--bound", "10") == OK
    assert command("check", place, place, "--bound", "0") == BAD_INPUT
    assert command("check", place, place, "--span", "soon") == BAD_INPUT
    other = place.replace("ADAUSDT", "BTCUSDT")
    assert command("check", place, other) == BAD_INPUT
    assert "BTCUSDT, expected one of ADAUSDT" in capsys.readouterr().err
    assert command("--home", str(tmp_path)) == NO_COORDINATOR


def test_the_feeds_of_a_pool_are_shown_with_their_age() -> None:
    """F17, A49."""
    out = io.StringIO()
    assert show_live((), out, as_json=False) == OK
    assert "made up" in out.getvalue()
    fine = FeedView(
        symbol="BTCUSDT",
        venue_id=VenueId("paper"),
        age_ns=1_500_000_000,
        messages=9,
        faults={"far": 2, "locked": 1},
        doubt=None,
        too_old=False,
    )
    out = io.StringIO()
    assert show_live([fine], out, as_json=False) == OK
    assert out.getvalue().splitlines()[1].split() == (
        ["BTCUSDT", "paper", "1.5", "s", "9", "2", "far,", "1", "locked"]
    )
    for change, word in (({"doubt": "feeds_apart"}, "feeds apart"), ({"too_old": True}, "too old")):
        out = io.StringIO()
        view = msgspec.structs.replace(fine, **change)
        assert show_live([view], out, as_json=False) == FAILED
        assert out.getvalue().rstrip().endswith(word)
    out = io.StringIO()
    show_live([fine], out, as_json=True)
    assert json.loads(out.getvalue())[0]["messages"] == 9


def test_places_may_stand_with_commas_between_them(tmp_path: Path) -> None:
    named = tmp_path / "a,b.csv"
    named.write_text("")
    assert places_of(["x,y", str(named), "z?time=T,"]) == ["x", "y", str(named), "z?time=T"]
    assert absolute(f"{tmp_path}/x/../y?span=1m") == f"{tmp_path}/y?span=1m"
