"""Where the history of an indicator begins, so that everybody computes it from the same bar.

An indicator with memory depends on where it began. Live, replayed, evaluated again elsewhere or
in a backtest, it begins at the same bar: the origin, a function of the bar and the instrument
alone. The origin stays for 2,000 bars and then moves on by as many, so between 2,000 and 4,000
bars are behind the latest one. Instruments move at different bars, not all at once.
"""

from typing import Final
from zlib import crc32

from tandem.domain.bars import Span
from tandem.domain.ids import InstrumentId

STEP: Final = 2_000


def origin_ns(span: Span, begin_ns: int, instrument_id: InstrumentId) -> int:
    """Return when the first bar begins that counts for the bar which begins at `begin_ns`.

    No bar need be stored that begins there: history is what is stored from there on.
    """
    shift = crc32(instrument_id.encode()) % STEP
    number, since_ns = divmod(begin_ns, span.ns)  # weeks begin four days off their multiples
    origin = ((number + shift) // STEP - 1) * STEP - shift
    return origin * span.ns + since_ns
