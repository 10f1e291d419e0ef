"""Settings files, and what follows from them."""

from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from tandem.core.matching import listing
from tandem.core.matching.exchange import Exchange
from tandem.core.trading.desk import Desk
from tandem.domain.bundle import Bundle
from tandem.domain.desk import Restarted
from tandem.domain.errors import ConfigurationError
from tandem.domain.instant import Instant
from tandem.domain.instrument import Instrument
from tandem.wiring.home import Home
from tandem.wiring.settings import (
    LIMITS,
    ReplayPlan,
    Settings,
    desk_settings,
    new_paper,
    paced_limits,
    plan_replay,
    read_paper,
    read_settings,
    secrets_of,
    take_paper,
)


def _home(tmp_path: Path, text: str | None = None) -> Home:
    home = Home(tmp_path / "home")
    home.make()
    if text is not None:
        home.settings_file.write_text(text, encoding="utf-8")
    return home


def test_without_a_file_there_are_defaults(tmp_path: Path) -> None:
    assert read_settings(Home(tmp_path)) == Settings()


def test_a_file_says_what_it_wants(tmp_path: Path) -> None:
    text = 'workers = 5\ntaker_fee = "0.001"\n[limits]\nmax_open_orders = 7\n'
    settings = read_settings(_home(tmp_path, text))
    assert settings.workers == 5
    assert settings.taker_fee == Decimal("0.001")
    assert settings.gate.max_open_orders == 7
    assert settings.gate.max_position_notional == LIMITS.max_position_notional
    assert settings.alerts.command == ()


def test_a_file_says_how_often_accounts_are_audited(tmp_path: Path) -> None:
    """F24."""
    settings = read_settings(_home(tmp_path, "reconcile_ns = 300000000"))
    assert settings.timings.reconcile_ns == 300_000_000
    with pytest.raises(ConfigurationError, match="reconcile_ns"):
        read_settings(_home(tmp_path, "reconcile_ns = 0"))


def test_a_file_may_name_a_command_for_alerts(tmp_path: Path) -> None:
    """C15."""
    text = '[alerts]\ncommand = ["notify-send", "Tandem"]\nper_minute = 3\n'
    alerts = read_settings(_home(tmp_path, text)).alerts
    assert (alerts.command, alerts.per_minute) == (("notify-send", "Tandem"), 3)


@pytest.mark.parametrize(
    "text",
    [
        "worker = 5",
        "[alerts]\nper_minute = 0",
        "[alerts]\ncommand = 'one string'",
        "workers = 'many'",
        "workers = 1",
        "accounts = 1",
        "accounts = 100000",
        "on_exit = 'perhaps'",
        "latency_ns_min = 5",
        "workers = ",
        "[limits]\nmax_open_orders = 0",
        "[limits]\nmax_open_orders = 'many'",
        "[limits]\nmax_open = 5",
        "\0",
    ],
)
def test_a_file_that_cannot_be_is_refused_by_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"tandem\.toml"):
        read_settings(_home(tmp_path, text))


def _coin() -> tuple[Instrument, ...]:
    return tuple(one for one in listing.instruments() if one.symbol == "BTCUSDT")


def test_the_paper_exchange_of_a_home_stays_what_it_was(tmp_path: Path) -> None:
    home = _home(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_paper(home)
    first = take_paper(home, Settings(cash=Decimal(5)), None)
    assert take_paper(home, Settings(cash=Decimal(9)), None) == first == read_paper(home)
    assert home.paper_file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ConfigurationError, match="--home"):
        take_paper(home, Settings(), _coin())


def test_a_damaged_paper_file_is_named(tmp_path: Path) -> None:
    home = _home(tmp_path)
    home.paper_file.write_text("{", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"paper\.json"):
        read_paper(home)


def test_a_replayed_market_has_one_instrument_and_money_for_it() -> None:
    paper = new_paper(Settings(coins=Decimal("0.5")), _coin())
    exchange = paper.exchange
    assert [one.symbol for one in exchange.instruments] == ["BTCUSDT"]
    assert exchange.synthetic is None
    assert exchange.accounts[0].cash == {"USDT": Decimal(1_000_000)}
    assert list(exchange.accounts[0].positions.values()) == [50_000]
    Exchange(exchange)


def test_a_desk_can_be_started_with_them_and_no_secret_is_in_them() -> None:
    """A5, A6: the bundle carries strategies, catalogue and limits, and no account's secret."""
    paper = new_paper(Settings(accounts=4), None)
    settings = desk_settings(paper, LIMITS)
    assert [one.slot_id for one in settings.slots] == ["w1", "w2", "w3", "w4"]
    Desk().on(Restarted(settings=settings), Instant(1, 1))
    bundle = msgspec.msgpack.decode(settings.bundle, type=Bundle)
    assert [one.number for one in bundle.strategies] == [1]
    assert (
        sha256(settings.bundle).hexdigest()
        == sha256(desk_settings(new_paper(Settings(accounts=4), None), LIMITS).bundle).hexdigest()
    )
    planted = {"secret": "planted"}
    marked = [msgspec.structs.replace(one, **planted) for one in paper.exchange.accounts]
    exchange = msgspec.structs.replace(paper.exchange, accounts=tuple(marked))
    other = msgspec.structs.replace(paper, exchange=exchange)
    assert list(secrets_of(other).values()) == ["planted"] * 4
    assert desk_settings(other, LIMITS) == settings


def test_prices_of_a_fast_market_may_be_as_old_as_ever_in_our_time() -> None:
    def at(speed: str) -> int:
        plan = ReplayPlan(places=(), instruments=(), begin_ns=0, began_at_ns=0, speed=speed)
        return paced_limits(LIMITS, plan).max_reference_age_ns

    usual = LIMITS.max_reference_age_ns
    assert paced_limits(LIMITS, None).max_reference_age_ns == usual
    assert at("1/2") == usual
    assert at("10") == 10 * usual
    assert at("100000") == 31 * 86_400_000_000_000


@pytest.mark.parametrize("speed", ["0", "-1", "fast", "1/0", ""])
def test_a_speed_is_a_positive_number(tmp_path: Path, speed: str) -> None:
    with pytest.raises(ConfigurationError, match="speed"):
        plan_replay([str(tmp_path)], speed)


def test_a_calendar_may_be_named_for_one_market_alone() -> None:
    """A29: crypto that never closes beside shares; an unknown market is refused by name."""
    paper = new_paper(Settings(calendars={"crypto": ""}), None)
    assert paper.exchange.market_sessions == {"crypto": ()}
    assert desk_settings(paper, LIMITS).limits.market_sessions == {"crypto": ()}
    with pytest.raises(ConfigurationError, match="no market 'moon'; there are"):
        new_paper(Settings(calendars={"moon": "XNYS"}), None)
