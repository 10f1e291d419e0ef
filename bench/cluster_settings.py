"""How the measured cluster is set: limits wide open, but every gate asked; accounts that last.

Times and sizes are those of a normal start; only amounts are larger, so that a run of minutes
meets no limit. A `Shape` says in what one pool differs from the usual.
"""

from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from tandem.core.matching import listing
from tandem.domain.bundle import Bundle, Strategy
from tandem.domain.desk import DeskSettings, SlotSettings, VenueSettings
from tandem.domain.exchange import ExchangeSettings
from tandem.domain.ids import AccountId, DeskId, SlotId, VenueId
from tandem.domain.limits import MONEY_MAX, Limits
from tandem.domain.order import FenceClass

VENUE: Final = VenueId("paper")
WORKERS: Final = 8
SLOTS: Final = tuple(SlotId(f"w{number}") for number in range(1, WORKERS + 1))
OPENING_LOTS: Final = 100_000
SHAPE_FILE: Final = "shape.json"
HERE: Final = "127.0.0.1"
SHARES: Final = tuple(
    one for one in listing.instruments(VENUE) if one.market_id == listing.EQUITIES
)


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """How one pool is made: an account's fence class each, the bundle's size, where TLS listens.

    With ports, workers dial over mutual TLS: the coordinator's first, then the exchange's.
    """

    classes: str = "A" * WORKERS
    bundle_bytes: int = 0  # at least so many, by a long strategy
    ports: tuple[int, int] | None = None

    def write(self, folder: Path) -> None:
        """Leave word for the other processes."""
        (folder / SHAPE_FILE).write_bytes(msgspec.json.encode(self))

    @classmethod
    def read(cls, folder: Path) -> "Shape":
        """Return what the coordinator's process has left; without word the usual."""
        file = folder / SHAPE_FILE
        return msgspec.json.decode(file.read_bytes(), type=cls) if file.exists() else cls()


USUAL: Final = Shape()


def limits() -> Limits:
    """Return limits that ask everything and refuse nothing of the load."""
    return Limits(
        max_notional=MONEY_MAX,
        max_position_notional=MONEY_MAX,
        max_gross_exposure=MONEY_MAX,
        max_daily_loss=MONEY_MAX,
        price_collar_ppm=200_000,
        max_open_orders=1_000_000,
        max_orders_per_second=1_000_000,
        max_duplicates=1_000_000,
        duplicate_window_ns=1_000_000,
    )


def exchange_settings(shape: Shape = USUAL) -> ExchangeSettings:
    """Return the paper exchange with accounts that do not run dry."""
    normal = listing.settings(VENUE, seed=3)
    positions = {one.instrument_id: OPENING_LOTS for one in SHARES}
    accounts = tuple(
        msgspec.structs.replace(
            one,
            cash={"USD": Decimal(10) ** 9},
            positions=positions,
            fence_class=FenceClass(letter),
        )
        for one, letter in zip(normal.accounts, shape.classes, strict=True)
    )
    return msgspec.structs.replace(normal, accounts=accounts)


def desk_settings(shape: Shape = USUAL) -> DeskSettings:
    """Return a desk of eight slots, one account each."""
    venues = (VenueSettings(venue_id=VENUE),)
    instruments = exchange_settings().instruments
    strategies: tuple[Strategy, ...] = ()
    if shape.bundle_bytes:
        strategies = (Strategy(number=1, name="long", text="x" * shape.bundle_bytes),)
    bundle = Bundle(strategies=strategies, instruments=instruments, venues=venues, limits=limits())
    slots = tuple(
        SlotSettings(
            slot_id=slot_id,
            account_id=AccountId(f"A{number}"),
            venue_id=VENUE,
            fence_class=FenceClass(shape.classes[number - 1]),
        )
        for number, slot_id in enumerate(SLOTS, start=1)
    )
    return DeskSettings(
        desk_id=DeskId("d1"),
        slots=slots,
        venues=venues,
        instruments=instruments,
        limits=limits(),
        bundle=msgspec.msgpack.encode(bundle),
    )


def secrets() -> dict[AccountId, str]:
    """Return the accounts' secrets."""
    return {one.account_id: one.secret for one in exchange_settings().accounts}


def workers_address(folder: Path) -> str:
    """Return where workers dial in."""
    return str(folder / "workers.sock")


def control_address(folder: Path) -> str:
    """Return where askers dial in."""
    return str(folder / "control.sock")


def lan_folder(folder: Path) -> Path:
    """Return where the certificates are."""
    return folder / "lan"


def exchange_address(folder: Path) -> str:
    """Return where the exchange listens."""
    return str(folder / "exchange.sock")
