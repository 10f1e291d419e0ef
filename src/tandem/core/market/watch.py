"""One instrument's feeds, watched: what is usable of them, how old it is, and what is doubted."""

from typing import Final

import msgspec

from tandem.core.market.bursts import BurstWatch
from tandem.core.market.comparing import Comparison
from tandem.core.market.filtering import FeedFilter, middle_of
from tandem.domain.exchange import DepthShown
from tandem.domain.feeds import Fault, FeedNews
from tandem.domain.limits import SECOND_NS
from tandem.domain.venue import Doubt

GAP_NS: Final = 5 * SECOND_NS


class FeedWatch(msgspec.Struct, array_like=True, gc=False):
    """What its first feed said, and whether a second one agrees.

    `messages` counts what the first feed said, bad or good. `fresh_ns` is the time of the latest
    good one: the feed's own where it tells one, and never later than when it came. A feed that is
    frozen and repeats itself, or says old things, does not make it any later. The latest gap was
    at `gap_ns`: prices are in doubt for a while after it, or until the whole book is shown.
    """

    filter: FeedFilter = msgspec.field(default_factory=FeedFilter)
    second_filter: FeedFilter = msgspec.field(default_factory=FeedFilter)
    burst: BurstWatch = msgspec.field(default_factory=BurstWatch)
    comparison: Comparison = msgspec.field(default_factory=Comparison)
    messages: int = 0
    fresh_ns: int | None = None
    gaps: int = 0
    gap_ns: int | None = None

    def note(self, news: FeedNews) -> Fault | None:
        """Take what the first feed said; return why it is not to be used, or None."""
        self.messages += 1
        self.burst.note(news.at_ns)
        if isinstance(news.event, DepthShown) and news.event.is_whole:
            self.gap_ns = None
        if news.is_after_gap:
            self.gaps += 1
            self.gap_ns = news.at_ns
        fault = self.filter.judge(news)
        if fault is None:
            told_ns = news.at_ns if news.told_ns is None else min(news.told_ns, news.at_ns)
            self.fresh_ns = told_ns if self.fresh_ns is None else max(self.fresh_ns, told_ns)
            self._compare(news, is_second=False)
        return fault

    def note_second(self, news: FeedNews) -> Fault | None:
        """Take what the second feed said: only to compare."""
        fault = self.second_filter.judge(news)
        if fault is None:
            self._compare(news, is_second=True)
        return fault

    def doubt(self, now_ns: int) -> Doubt | None:
        """Return why its prices are doubted at this moment of the market, or None."""
        self.burst.pass_to(now_ns)
        self.comparison.pass_to(now_ns)
        if self.comparison.is_apart:
            return Doubt.FEEDS_APART
        if self.gap_ns is not None and now_ns - self.gap_ns < GAP_NS:
            return Doubt.GAP
        return Doubt.BURST if self.burst.is_on else None

    def _compare(self, news: FeedNews, *, is_second: bool) -> None:
        doubled = middle_of(news.event)
        if doubled is not None:
            self.comparison.note(doubled, now_ns=news.at_ns, is_second=is_second)
