"""What a pool is started with: the optional `tandem.toml`, and what follows from it.

The paper exchange and its accounts are fixed when a home is used for the first time, in
`paper.json`: their journal is worth nothing with other ones.
"""

import hashlib
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final

import msgspec

from tandem.adapters.calendars import sessions
from tandem.adapters.lan.addresses import PORT_MAX, address_text, split_address
from tandem.adapters.local.clock import Replay, SystemClock
from tandem.core.matching import listing
from tandem.domain.bundle import Bundle
from tandem.domain.desk import DeskSettings, SlotSettings, Timings, VenueSettings
from tandem.domain.errors import ConfigurationError
from tandem.domain.exchange import AccountSettings, ExchangeSettings, Fees
from tandem.domain.ids import AccountId, DeskId, MarketId, SlotId
from tandem.domain.instrument import Instrument
from tandem.domain.limits import BOUNDS, Limits, Session
from tandem.domain.venue import Login
from tandem.strategies import built_in
from tandem.wiring.alerts import AlertSettings
from tandem.wiring.feeds import absolute, merged, open_feeds
from tandem.wiring.home import Home
from tandem.wiring.metrics import MetricsSettings

ACCOUNTS_MAX: Final = 1_000
BARS_KEPT: Final = 3
BEFORE: Final = timedelta(days=7)  # sessions of a calendar that are looked up
AFTER: Final = timedelta(days=366)
DESK_ID: Final = DeskId("d1")
# Eight accounts hold 5.2 million USD of TSLA at the start: more than the gate's own default.
LIMITS: Final = Limits(max_position_notional=Decimal(10_000_000))

TIMINGS: Final = Timings()


class LanSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table `lan` of `tandem.toml`: `address` is PORT or HOST:PORT, and opens the pool.

    `announce` lets others on the LAN find it by mDNS.
    """

    address: str
    announce: bool = True


class LanPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Where other computers reach a pool: five ports in a row, the first one to join at."""

    host: str
    port: int
    announce: bool = True

    @property
    def joining(self) -> str:
        """Where machines join."""
        return address_text(self.host, self.port)

    @property
    def workers(self) -> str:
        """Where their workers reach the coordinator."""
        return address_text(self.host, self.port + 1)

    @property
    def exchange(self) -> str:
        """Where they reach the paper exchange."""
        return address_text(self.host, self.port + 2)

    @property
    def halting(self) -> str:
        """Where they can be halted without the coordinator."""
        return address_text(self.host, self.port + 3)

    @property
    def tasks(self) -> str:
        """Where their evaluators get tasks."""
        return address_text(self.host, self.port + 4)


def lan_plan(settings: LanSettings) -> LanPlan:
    """Return what the settings mean.

    Raises:
        ConfigurationError: the address cannot be.
    """
    host, port = split_address(settings.address, host="0.0.0.0")  # noqa: S104 - that is its purpose
    if not 1 <= port <= PORT_MAX - 4:
        raise ConfigurationError(f"lan port {port}: expected 1 to {PORT_MAX - 4}")
    return LanPlan(host=host, port=port, announce=settings.announce)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `tandem.toml` may say; an unknown name in it is refused.

    `accounts`, `seed`, the opening holdings, fees and the calendar (such as XNYS; without one the
    market never closes) count when a home is first used, the rest at every start. `cash` is in
    each quote currency, `shares` of each share, `coins` in BTC. `calendars` name those of markets
    that have others than `calendar`, empty for one that never closes. `reconcile_ns` is between
    two audits of every account.
    """

    workers: int = 9
    accounts: int = 8
    seed: int = 1
    on_exit: str = "cancel"
    cash: Decimal = Decimal(1_000_000)
    shares: int = 1_000
    coins: Decimal = Decimal(2)
    maker_fee: Decimal = Decimal(0)
    taker_fee: Decimal = Decimal(0)
    latency_ns_min: int = 0
    latency_ns_max: int = 0
    calendar: str = ""
    calendars: dict[str, str] = {}
    reconcile_ns: int = TIMINGS.reconcile_ns
    limits: dict[str, object] = {}
    alerts: AlertSettings = AlertSettings()
    lan: LanSettings | None = None
    metrics: MetricsSettings | None = None

    @property
    def gate(self) -> Limits:
        """What the risk gate allows: our defaults, and what the table `limits` changes of them.

        Raises:
            ConfigurationError: there is no such limit, or it cannot be.
        """
        types = {one.name: one.type for one in msgspec.structs.fields(Limits)}
        values = {}
        for name, value in self.limits.items():
            if name not in types:
                raise ConfigurationError(f"no limit {name!r}; there are {', '.join(types)}")
            try:
                values[name] = msgspec.convert(value, types[name])
            except msgspec.ValidationError as error:
                raise ConfigurationError(f"limit {name}: {error}") from error
        return msgspec.structs.replace(LIMITS, **values)

    @property
    def timings(self) -> Timings:
        """How long the desk waits for what.

        Raises:
            ConfigurationError: a time is not positive.
        """
        return Timings(reconcile_ns=self.reconcile_ns)

    def __post_init__(self) -> None:
        _ = self.gate, self.timings  # what cannot be is refused at once
        if not 2 <= self.accounts <= ACCOUNTS_MAX:
            raise ConfigurationError(f"accounts is {self.accounts}, expected 2 to {ACCOUNTS_MAX}")
        if self.workers < (2 if self.lan is None else 0) or self.workers == 1:
            raise ConfigurationError(
                f"workers is {self.workers}, expected 2 or more, or 0 with a LAN"
            )
        if self.on_exit not in ("cancel", "keep"):
            raise ConfigurationError(f"on_exit is {self.on_exit!r}, expected cancel or keep")
        if self.lan is not None:
            lan_plan(self.lan)
        if not 0 <= self.latency_ns_min <= self.latency_ns_max:
            raise ConfigurationError("latency_ns_min is not between 0 and latency_ns_max")


class ReplayPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A market with a clock of its own: where it is recorded, and when the run began in it.

    `places` are traded on; the feeds at `compared` are only held against them. `span_ns` is the
    length of its longest bars, 0 without any. `began_at_ns` is CLOCK_BOOTTIME; then it was
    `begin_ns` in the market. Every process makes the same clock of it, whenever it starts.
    Without places and instruments it is the synthetic market.
    """

    places: tuple[str, ...] = ()
    instruments: tuple[Instrument, ...] = ()
    begin_ns: int
    began_at_ns: int
    speed: str
    compared: tuple[str, ...] = ()
    span_ns: int = 0

    def clock(self) -> SystemClock:
        """Return the clock of this replay."""
        speed = Fraction(self.speed)
        played_ns = int((SystemClock().now().now_ns - self.began_at_ns) * speed)
        return SystemClock(Replay(begin_ns=self.begin_ns + played_ns, speed=speed))


class Paper(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The paper exchange of a home; `market` is `synthetic`, or the symbols that are replayed."""

    market: str
    exchange: ExchangeSettings


def read_settings(home: Home) -> Settings:
    """Return what `tandem.toml` of the home says, or the defaults when there is none.

    Raises:
        ConfigurationError: it cannot be read, or says what cannot be; names the place.
    """
    try:
        return msgspec.toml.decode(home.settings_file.read_bytes(), type=Settings)
    except FileNotFoundError:
        return Settings()
    except (OSError, ConfigurationError, msgspec.MsgspecError) as error:
        raise ConfigurationError(f"{home.settings_file}: {error}") from error


def read_speed(text: str) -> Fraction:
    """Return how fast a market is to run.

    Raises:
        ConfigurationError: it is no positive number.
    """
    try:
        fraction = Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise ConfigurationError(f"speed {text!r}: expected a number such as 10 or 1/2") from error
    if fraction <= 0:
        raise ConfigurationError(f"speed {text}: expected more than 0")
    return fraction


def plan_replay(places: Sequence[str], speed: str, *, compared: Sequence[str] = ()) -> ReplayPlan:
    """Return a replay of what lies at `places`, beginning now.

    Raises:
        MarketFileError: something cannot be read.
        ConfigurationError: nothing is there, or the speed is no positive number.
    """
    fraction = read_speed(speed)
    opened = open_feeds(places)
    first = next(merged(opened), None)
    if first is None:
        raise ConfigurationError(f"{', '.join(places)}: holds no market data")
    instruments = tuple({one.instrument.symbol: one.instrument for one in opened}.values())
    open_feeds(compared, instruments)
    return ReplayPlan(
        places=tuple(absolute(one) for one in places),
        instruments=instruments,
        begin_ns=first.at_ns,
        began_at_ns=SystemClock().now().now_ns,
        speed=str(fraction),
        compared=tuple(absolute(one) for one in compared),
        span_ns=max(one.feed.span_ns or 0 for one in opened),
    )


def _market(replayed: Sequence[Instrument] | None) -> str:
    return "synthetic" if replayed is None else ",".join(sorted(one.symbol for one in replayed))


def new_paper(
    settings: Settings,
    replayed: tuple[Instrument, ...] | None,
    *,
    market_ns: int | None = None,
) -> Paper:
    """Return a paper exchange: the synthetic market, or one that replays those instruments.

    With a calendar it trades in the sessions around `market_ns`.
    """
    chosen = listing.settings(seed=settings.seed)
    instruments = chosen.instruments if replayed is None else replayed
    exchange = msgspec.structs.replace(
        chosen,
        instruments=instruments,
        accounts=_accounts(settings, instruments),
        fees=Fees(maker=settings.maker_fee, taker=settings.taker_fee),
        synthetic=chosen.synthetic if replayed is None else None,
        latency_ns_min=settings.latency_ns_min,
        latency_ns_max=settings.latency_ns_max,
        sessions=_sessions(settings.calendar, market_ns),
        market_sessions=_market_sessions(settings.calendars, instruments, market_ns),
    )
    return Paper(market=_market(replayed), exchange=exchange)


def _market_sessions(
    calendars: dict[str, str], instruments: Sequence[Instrument], market_ns: int | None
) -> dict[MarketId, tuple[Session, ...]]:
    markets = sorted({one.market_id for one in instruments})
    for name in calendars:
        if name not in markets:
            raise ConfigurationError(f"calendars: no market {name!r}; there are {markets}")
    return {MarketId(name): _sessions(one, market_ns) for name, one in calendars.items()}


def _sessions(calendar: str, market_ns: int | None) -> tuple[Session, ...]:
    """Return a calendar's sessions from a week before that moment to a year after it."""
    if not calendar or market_ns is None:
        return ()
    today = datetime.fromtimestamp(market_ns // 1_000_000_000, UTC).date()
    return sessions(calendar, first=today - BEFORE, last=today + AFTER)


def _accounts(
    settings: Settings, instruments: tuple[Instrument, ...]
) -> tuple[AccountSettings, ...]:
    cash = {one.quote: settings.cash for one in instruments}
    positions = {one.instrument_id: _opening_lots(settings, one) for one in instruments}
    accounts = listing.accounts(count=settings.accounts)
    return tuple(msgspec.structs.replace(one, cash=cash, positions=positions) for one in accounts)


def _opening_lots(settings: Settings, instrument: Instrument) -> int:
    if instrument.market_id == listing.EQUITIES:
        return settings.shares
    is_money = instrument.market_id == listing.FOREX
    amount = settings.cash if is_money else settings.coins
    return int(amount // instrument.lot_size)


def take_paper(
    home: Home,
    settings: Settings,
    replayed: tuple[Instrument, ...] | None,
    *,
    market_ns: int | None = None,
) -> Paper:
    """Return the paper exchange of a home, made now when the home is new.

    `market_ns` is now, in the market's time: around it a calendar's sessions are looked up.

    Raises:
        ConfigurationError: the home trades another market, or its file is damaged.
    """
    try:
        paper = read_paper(home)
    except FileNotFoundError:
        paper = new_paper(settings, replayed, market_ns=market_ns)
        half_made = home.paper_file.with_suffix(".new")
        descriptor = os.open(half_made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(paper))
            file.flush()
            os.fsync(descriptor)
        half_made.rename(home.paper_file)
    wanted = _market(replayed)
    if paper.market != wanted:
        raise ConfigurationError(
            f"{home.folder}: its accounts trade the {paper.market} market, not {wanted}; "
            "give another folder with --home"
        )
    return paper


def read_paper(home: Home) -> Paper:
    """Return the paper exchange of a home.

    Raises:
        FileNotFoundError: the home was never used.
        ConfigurationError: its file is damaged.
    """
    try:
        return msgspec.json.decode(home.paper_file.read_bytes(), type=Paper)
    except msgspec.MsgspecError as error:
        raise ConfigurationError(f"{home.paper_file}: {error}") from error


def paced_limits(limits: Limits, replay: ReplayPlan | None) -> Limits:
    """Return limits for a market that runs faster: a price may be as old as ever in our time.

    A price out of bars may always be as old as `BARS_KEPT` of them.
    """
    speed = max(Fraction(1), Fraction(replay.speed)) if replay is not None else Fraction(1)
    bars_ns = BARS_KEPT * replay.span_ns if replay is not None else 0
    wanted_ns = max(int(limits.max_reference_age_ns * speed), bars_ns)
    age_ns = min(wanted_ns, BOUNDS["max_reference_age_ns"][1])
    return msgspec.structs.replace(limits, max_reference_age_ns=age_ns)


def desk_settings(
    paper: Paper,
    limits: Limits,
    timings: Timings = TIMINGS,
    *,
    replay: ReplayPlan | None = None,
) -> DeskSettings:
    """Return what the desk is started with: a slot w1, w2, … for each account."""
    speed = Fraction(replay.speed) if replay is not None else Fraction(1)
    exchange = paper.exchange
    if not limits.sessions:
        limits = msgspec.structs.replace(limits, sessions=exchange.sessions)
    if not limits.market_sessions:
        limits = msgspec.structs.replace(limits, market_sessions=exchange.market_sessions)
    venues = (VenueSettings(venue_id=exchange.venue_id),)
    slots = tuple(
        SlotSettings(
            slot_id=SlotId(f"w{number}"),
            account_id=one.account_id,
            venue_id=exchange.venue_id,
            fence_class=one.fence_class,
            may_short=one.may_short,
        )
        for number, one in enumerate(exchange.accounts, start=1)
    )
    bundle = Bundle(
        strategies=built_in(), instruments=exchange.instruments, venues=venues, limits=limits
    )
    return DeskSettings(
        desk_id=DESK_ID,
        slots=slots,
        venues=venues,
        instruments=exchange.instruments,
        limits=limits,
        timings=timings,
        market_speed=Decimal(speed.numerator) / Decimal(speed.denominator),
        bundle=msgspec.msgpack.encode(bundle),
    )


def exchange_settings(paper: Paper) -> ExchangeSettings:
    """Return what the exchange is started with: it knows of each secret only what `sealed` says.

    So neither its journal nor its snapshots hold one.
    """
    accounts = tuple(
        msgspec.structs.replace(one, secret=_sealed(one.account_id, one.secret))
        for one in paper.exchange.accounts
    )
    return msgspec.structs.replace(paper.exchange, accounts=accounts)


def sealed(login: Login) -> Login:
    """Return a login as the exchange records and judges it."""
    if login.account_id is None:
        return login
    return msgspec.structs.replace(login, secret=_sealed(login.account_id, login.secret))


def _sealed(account_id: AccountId, secret: str) -> str:
    return hashlib.sha256(f"{account_id}\0{secret}".encode()).hexdigest()


def secrets_of(paper: Paper) -> dict[AccountId, str]:
    """Return what each account logs in with."""
    return {one.account_id: one.secret for one in paper.exchange.accounts}
