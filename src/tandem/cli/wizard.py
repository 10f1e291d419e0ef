"""The conversation of `tandem setup`: questions with defaults, checked as they are answered.

It is appendix A of the paper on retail trading as a talk: number of workers, strategy 1 to N,
ticker, side, price, quantity, objectives. Enter takes what stands in brackets.
"""

import re
import shlex
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final, TextIO

import msgspec

from tandem.cli.calling import BadInputError
from tandem.cli.typed import duration_ns
from tandem.domain.errors import ConfigurationError, OffGridError
from tandem.domain.ids import Ticks
from tandem.domain.instrument import Catalogue, Instrument
from tandem.domain.limits import MONEY_MAX
from tandem.domain.money import ZERO
from tandem.wiring.session_file import Line, SessionFile

ASKED_MAX: Final = 20  # times that one question is asked again
WORKERS_MAX: Final = 100
# The made-up market is calm: a first trade should not have to be waited for.
LIVELY: Final = ("--window", "5", "--threshold", "20")
HALF_SPREAD: Final = 2_000  # its usual part of a price
_YES: Final = {"y": True, "yes": True, "n": False, "no": False}
_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?")


class Strategy(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the menu; `sided`: it asks for a side and a price."""

    name: str
    text: str
    sided: bool


STRATEGIES: Final = (
    Strategy(name="momentum", text="long while the price rises, short while it falls", sided=False),
    Strategy(name="hold", text="buy or sell once, and keep it", sided=True),
    Strategy(name="quote", text="quote both sides around the market", sided=False),
    Strategy(name="twap", text="trade evenly over the time", sided=True),
)


class Talk:
    """Asks on `out`, hears on `source`."""

    def __init__(self, source: TextIO, *, out: TextIO) -> None:
        self._source = source
        self._out = out

    def say(self, text: str) -> None:
        """Write a line."""
        self._out.write(f"{text}\n")

    def ask(self, question: str, check: Callable[[str], str], *, default: str) -> str:
        """Return the answer as `check` gives it back; asked again when it refuses.

        Raises:
            BadInputError: the input ended, or every answer was refused.
        """
        for _ in range(ASKED_MAX):
            self._out.write(f"{question} [{default}]: ")
            self._out.flush()
            heard = self._source.readline()
            if not heard:
                self._out.write("\n")
                raise BadInputError(f"setup: the input ended at {question!r}; nothing was saved")
            try:
                return check(heard.strip() or default)
            except (BadInputError, OffGridError, ConfigurationError) as error:
                self.say(f"  {error}")
        raise BadInputError(f"setup: {question!r} was not answered; nothing was saved")

    def whether(self, question: str, *, default: bool) -> bool:
        """Return yes or no."""
        answer = self.ask(f"{question} (y/n)", _yes_or_no, default="y" if default else "n")
        return answer == "y"


def _yes_or_no(text: str) -> str:
    if text.lower() not in _YES:
        raise BadInputError(f"{text!r}: expected y or n")
    return "y" if _YES[text.lower()] else "n"


def whole(low: int, *, high: int) -> Callable[[str], str]:
    """Return a check for a whole number within bounds."""

    def check(text: str) -> str:
        if not text.isascii() or not text.isdecimal() or not low <= int(text[:20]) <= high:
            raise BadInputError(f"{text[:40]!r}: expected a whole number from {low} to {high}")
        return str(int(text))

    return check


def one_of(words: Sequence[str]) -> Callable[[str], str]:
    """Return a check for one of these words, in any case."""

    def check(text: str) -> str:
        for word in words:
            if word.lower() == text.lower():
                return word
        raise BadInputError(f"{text[:40]!r}: expected one of {', '.join(words[:40])}")

    return check


def money_or_none(text: str) -> str:
    """Return a sum of money above zero, or `none`."""
    if text.lower() == "none":
        return "none"
    amount = Decimal(text) if _NUMBER.fullmatch(text) else ZERO
    if not 0 < amount < MONEY_MAX:
        raise BadInputError(f"{text[:40]!r}: expected a sum above 0, such as 250, or none")
    return text


def span(text: str) -> str:
    """Return a duration such as 90s."""
    duration_ns(text)
    return text


def converse(talk: Talk, catalogue: Catalogue, prices: dict[str, str]) -> SessionFile:
    """Ask everything; return the session.

    Args:
        talk: with whom.
        catalogue: what can be traded.
        prices: a price to begin with of each symbol, shown as a help.

    Raises:
        BadInputError: the input ended; nothing was saved.
    """
    workers = talk.ask(
        "How many workers (one account each; an odd one is the spare)",
        whole(2, high=WORKERS_MAX),
        default="9",
    )
    talk.say("Strategies:")
    for number, one in enumerate(STRATEGIES, start=1):
        talk.say(f"  {number}  {one.name:<9} {one.text}")
    chosen = STRATEGIES[int(talk.ask("Strategy", whole(1, high=len(STRATEGIES)), default="1")) - 1]
    symbols = [one.symbol for one in catalogue.instruments]
    symbol = talk.ask("Ticker", one_of(symbols), default=symbols[0])
    instrument = catalogue.on_symbol(symbol)[0]
    side, price = "buy", "market"
    if chosen.sided:
        side, price = _side_and_price(talk, instrument, prices.get(symbol))
    half_spread = ""
    if chosen.name == "quote":
        half_spread = talk.ask(
            "How far from the middle on each side",
            lambda text: instrument.price_text(instrument.price(text)),
            default=_half_spread(instrument, prices.get(symbol)),
        )

    def quantity_check(text: str) -> str:
        instrument.quantity(text)
        return text

    usual = "40" if instrument.lot_size >= 1 else "0.04"
    quantity = talk.ask("Quantity, in all accounts together", quantity_check, default=usual)
    lasts = talk.ask("For how long (such as 90s, 5m or 1h)", span, default="1m")
    profit = talk.ask("Stop at a profit of (a sum, or none)", money_or_none, default="none")
    loss = talk.ask("Stop at a loss of (a sum, or none)", money_or_none, default="none")
    words = _words(chosen, (side, symbol, quantity, price), lasts)
    words += ["--half-spread", half_spread] if half_spread else []
    flat_after = ""
    if not chosen.sided:
        if not talk.whether("Give back at the end what it then holds", default=True):
            words += ["--leave", "keep"]
    elif talk.whether(f"Sell all {symbol} at the end, also what was there before", default=False):
        flat_after = lasts
    objectives = _objectives(instrument, profit=profit, loss=loss, lasts=flat_after)
    lines = [*([Line(do=objectives)] if objectives else []), Line(do=shlex.join(words))]
    # An algorithm ends by itself; the clock of a session would only cut off its last slice.
    ends = lasts if chosen.name == "hold" else ""
    return SessionFile(workers=int(workers), lasts=ends, commands=tuple(lines))


def _side_and_price(talk: Talk, instrument: Instrument, known: str | None) -> tuple[str, str]:
    def price_check(text: str) -> str:
        return text if text == "market" else instrument.price_text(instrument.price(text))

    side = talk.ask("Buy or sell", one_of(("buy", "sell")), default="buy")
    hint = f"; it was at {known}" if known else ""
    return side, talk.ask(f"Worst price (or market{hint})", price_check, default="market")


def _half_spread(instrument: Instrument, price: str | None) -> str:
    """Return a twentieth of a per cent of the price, on the grid; a tick where none is known."""
    ticks = instrument.price(price) // HALF_SPREAD if price is not None else 0
    return instrument.price_text(Ticks(max(1, ticks)))


def _words(strategy: Strategy, order: tuple[str, str, str, str], lasts: str) -> list[str]:
    """Return the command that trades it."""
    side, symbol, quantity, price = order
    limit = [] if price == "market" else ["--price", price]
    if strategy.name == "momentum":
        return ["algo", "momentum", symbol, quantity, "--for", lasts, *LIVELY]
    if strategy.name == "quote":
        return ["algo", "quote", symbol, quantity, "--for", lasts]
    if strategy.name == "twap":
        return ["algo", "twap", side, symbol, quantity, "--for", lasts, *limit]
    return ["order", side, symbol, quantity, *limit]


def _objectives(instrument: Instrument, *, profit: str, loss: str, lasts: str) -> str:
    """Return the command that sets what was asked for, of this instrument; empty for nothing.

    `lasts` is after what span of market time it is to be flat; empty for never.
    """
    words = []
    if profit != "none":
        words += ["--target-profit", profit]
    if loss != "none":
        words += ["--loss-limit", loss]
    if lasts:
        words += ["--flat-after", lasts]
    if not words:
        return ""
    about = ["--currency", instrument.quote, "--symbols", instrument.symbol, "--of-trades"]
    return shlex.join(["objectives", "set", *about, *words])
