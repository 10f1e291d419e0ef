"""The halt drill: a paper pool full of open orders is halted, and everything is measured.

Orders rest far from the market on all accounts. On request the coordinator is killed first. Then
the home is halted just as `tandem halt` does it, the exchange's own journal is read for the time at
which each order ended, and trading is resumed.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, TextIO

import msgspec

from tandem.adapters.local.network import UnixNetwork
from tandem.cli.calling import BadInputError, RefusedError
from tandem.cli.halting import report_text, resume_home
from tandem.cli.main import FAILED, OK
from tandem.cli.printing import write_json
from tandem.domain.commands import PlaceParent, Refused, Taken
from tandem.domain.exchange import ToSession
from tandem.domain.halting import AskAlive
from tandem.domain.ids import ClientOrderId, InstrumentId, Lots, Ticks
from tandem.domain.instrument import Instrument
from tandem.domain.order import Side
from tandem.domain.parents import ParentSpec
from tandem.domain.reports import Canceled
from tandem.domain.venue import Quote
from tandem.shells.own_control import OwnLine
from tandem.wiring.asking import DeskLine
from tandem.wiring.halt_file import new_halt
from tandem.wiring.halting import HaltReport, halt_home
from tandem.wiring.home import Home
from tandem.wiring.journals import records
from tandem.wiring.names import fresh_command, kill_process, now_ns
from tandem.wiring.polling import poll
from tandem.wiring.pool import any_pool
from tandem.wiring.venue_books import open_at_venue, quotes_at_venue

ORDERS_MAX: Final = 1_000  # what the risk gate lets a desk have open
WORKERS: Final = 9
BESIDE: Final = (93, 97)  # per cent of the bid: within the price collar, and never traded
AT_ONCE: Final = 80  # orders, so that the gate's orders per second are kept
PAUSE_S: Final = 0.15
FILL_S: Final = 60.0
BACK_S: Final = 20.0
STOP_MS: Final = 100.0
SENT_MS: Final = 1_000.0


class DrillReport(msgspec.Struct, kw_only=True):
    """What a drill measured; times are ms after the halt began."""

    orders: int
    accounts: int
    killed_pid: int | None
    halt: HaltReport
    stopped_ms: float | None
    sent_ms: float | None
    ended: int
    last_ended_ms: float | None
    back_ms: float | None
    started_halted: bool
    resumed: bool

    @property
    def is_good(self) -> bool:
        """Whether all was as promised."""
        in_time = (
            self.stopped_ms is not None
            and self.sent_ms is not None
            and self.last_ended_ms is not None
            and self.stopped_ms <= STOP_MS
            and max(self.sent_ms, self.last_ended_ms) <= SENT_MS
        )
        is_whole = self.ended == self.orders and self.started_halted and self.resumed
        return in_time and is_whole and self.halt.is_verified


async def run_drill(home: Home, out: TextIO, *, orders: int, kills: bool, as_json: bool) -> int:
    """Drill in the pool of this home, which is started for the while; return the exit code.

    Raises:
        BadInputError: the home is not one of a paper pool, or the number cannot be.
        RefusedError: the pool does not trade.
    """
    if home.is_machine:
        raise BadInputError(f"{home.folder}: a machine of another pool; a drill needs a paper pool")
    if not 1 <= orders <= ORDERS_MAX:
        raise BadInputError(f"--orders {orders}: expected 1 to {ORDERS_MAX}")

    def say(text: str) -> None:
        if not as_json:
            out.write(f"{text}\n")
            out.flush()

    async with any_pool(home, workers=WORKERS, say=say) as line:
        status = await line.status()
        if status.trading != "active":
            raise RefusedError(f"the pool is {status.trading}: {status.reason}")
        if sum((await open_at_venue(home)).values()):
            raise RefusedError("orders are open; a drill would cancel them")
        accounts = sum(one.active for one in status.slots)
        say(f"placing {orders} orders on {accounts} accounts")
        await _fill(home, line, orders, accounts)
        report = await _drill(home, line, orders, accounts, kills=kills)
    if as_json:
        write_json({"good": report.is_good, "report": msgspec.to_builtins(report)}, out)
    else:
        out.write(drill_text(report))
    return OK if report.is_good else FAILED


async def _fill(home: Home, line: DeskLine, orders: int, accounts: int) -> None:
    """Let so many orders rest, none like another and none at a price that trades."""
    catalogue = {one.instrument_id: one for one in (await line.catalogue()).instruments}
    places = _places(await quotes_at_venue(home), catalogue, -(-orders // accounts))
    left = orders
    async with asyncio.timeout(FILL_S):
        for start in range(0, len(places), AT_ONCE // accounts):
            batch = []
            for instrument, price in places[start : start + AT_ONCE // accounts]:
                size = min(left, accounts)
                left -= size
                batch.append(_place(line, instrument, price, size))
            await asyncio.gather(*batch)
            await asyncio.sleep(PAUSE_S)
        await poll(lambda: open_at_venue(home), lambda counts: sum(counts.values()) == orders)


def _places(
    quotes: Sequence[Quote], catalogue: dict[InstrumentId, Instrument], count: int
) -> list[tuple[Instrument, Ticks]]:
    """Return so many instruments and prices, the instruments in turn."""
    found = []
    for quote in quotes:
        if quote.bid is not None and quote.instrument_id in catalogue:
            low, high = (quote.bid * percent // 100 for percent in BESIDE)
            found.append((catalogue[quote.instrument_id], low, max(1, high - low)))
    if not found:
        raise RefusedError("no price is known yet")
    places = []
    for number in range(count):
        instrument, low, span = found[number % len(found)]
        places.append((instrument, Ticks(low + number // len(found) % span)))
    return places


async def _place(line: DeskLine, instrument: Instrument, price: Ticks, size: int) -> None:
    spec = ParentSpec(
        symbol=instrument.symbol, side=Side.BUY, quantity=Lots(size), limit_price=price
    )
    answer = await line.command(fresh_command("drill"), PlaceParent(spec=spec))
    if not isinstance(answer, Taken):
        text = answer.text if isinstance(answer, Refused) else str(answer)
        raise RefusedError(f"{instrument.symbol} at {instrument.price_text(price)}: {text}")


async def _drill(
    home: Home, line: DeskLine, orders: int, accounts: int, *, kills: bool
) -> DrillReport:
    before = await line.status()
    killed = await _kill_coordinator(home) if kills else None
    began_ns = now_ns()
    halt = await halt_home(home, new_halt("drill"))
    after = await _until_back(line, before.coordinator_epoch + (1 if kills else 0))
    back_ms = (now_ns() - began_ns) / 1e6 if kills else None
    ends = ended_after(home, began_ns)
    await resume_home(home, line)
    resumed = await line.status()
    driven = [one for one in halt.workers if one.account_id is not None]
    return DrillReport(
        orders=orders,
        accounts=accounts,
        killed_pid=killed,
        halt=halt,
        stopped_ms=_slowest([one.stopped_ms for one in halt.workers]),
        sent_ms=_slowest([one.cancels_sent_ms for one in driven]),
        ended=len(ends),
        last_ended_ms=max(ends.values()) if ends else None,
        back_ms=back_ms,
        started_halted=after == "halted",
        resumed=resumed.trading == "active",
    )


def _slowest(times: Sequence[float | None]) -> float | None:
    """Return the longest; None if one is missing, or all are."""
    known = [one for one in times if one is not None]
    return max(known) if known and len(known) == len(times) else None


async def _kill_coordinator(home: Home) -> int:
    """Kill it as a crash would; the process is the one that answers on its own socket."""
    own = OwnLine(UnixNetwork(), home.own_socket("coordinator"))
    await own.open()
    await own.ask(AskAlive())
    peer = own.peer
    own.close()
    if peer is None:
        raise RefusedError("the coordinator has ended by itself")
    kill_process(peer.pid)
    return peer.pid


async def _until_back(line: DeskLine, epoch: int) -> str:
    """Return whether a coordinator of at least that start trades."""
    async with asyncio.timeout(BACK_S):
        status = await poll(line.status, lambda one: one.coordinator_epoch >= epoch)
    return status.trading


def ended_after(home: Home, began_ns: int) -> dict[ClientOrderId, float]:
    """Return when each order was canceled by the exchange's own journal, in ms after that time."""
    ends: dict[ClientOrderId, float] = {}
    for record in records(home, "exchange"):
        if record.now.now_ns < began_ns:
            continue
        for effect in record.effects:
            if isinstance(effect, ToSession) and isinstance(effect.message, Canceled):
                at_ms = (record.now.now_ns - began_ns) / 1e6
                ends.setdefault(effect.message.client_order_id, at_ms)
    return ends


def drill_text(report: DrillReport) -> str:
    """Return a drill for people."""
    killed = f"coordinator (process {report.killed_pid}) killed, then halted"
    lines = [
        f"{killed if report.killed_pid is not None else 'halted'}: {report.orders} orders open",
        report_text(report.halt).rstrip(),
        f"every worker had stopped after {_ms(report.stopped_ms)} (at most {STOP_MS:.0f} ms)",
        f"every cancel was sent after {_ms(report.sent_ms)} (at most {SENT_MS:.0f} ms)",
        f"the exchange's journal: {report.ended} of {report.orders} orders ended, the last "
        f"after {_ms(report.last_ended_ms)} (at most {SENT_MS:.0f} ms)",
    ]
    if report.back_ms is not None:
        how = "halted" if report.started_halted else "NOT halted"
        lines.append(f"a new coordinator was there after {_ms(report.back_ms)}, and was {how}")
    lines.append("trading was resumed" if report.resumed else "trading was NOT resumed")
    lines.append("the drill was good" if report.is_good else "THE DRILL FAILED")
    return "".join(f"{line}\n" for line in lines)


def _ms(value: float | None) -> str:
    return "- ms" if value is None else f"{value:.1f} ms"
