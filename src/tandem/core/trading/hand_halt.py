"""A halt that a person gave to one worker itself, because the coordinator may be dead or hang.

From the halt on the worker hands nothing new to its venue. It cancels what it knows to be out,
asks the venue which orders of the account are open, cancels those that are this desk's, and asks
again until none is left. An empty list proves that nothing is open only when it was asked for a
read lag after the stop, and when every order handed over before had been answered or had timed
out: one that is still under way is in no list. Afterwards it goes on looking, less often.

No coordinator lifts the halt that has not heard of it: only `HaltLifted` with its id does, and that
is said by a desk that took note of this very halt and was resumed since.
"""

from typing import Final

from tandem.core.trading.sent_orders import SentOrders
from tandem.domain.desk import MS, SECOND
from tandem.domain.halting import HandHaltView
from tandem.domain.ids import AccountId, ClientOrderId, DeskId, HaltId
from tandem.domain.instant import Instant
from tandem.domain.venue import CancelOrder, ListOpenOrders, OpenOrders

LIST_AGAIN_NS: Final = 50 * MS  # while something is open, or no answer comes
LOOK_AGAIN_NS: Final = SECOND  # afterwards
CANCEL_AGAIN_NS: Final = 250 * MS  # a list may be older than the cancel
FIRST_QUERY: Final = 1 << 32  # no other question about open orders has such a number

Request = CancelOrder | ListOpenOrders


class HandHalt:
    """One worker's halt by hand, if there is one. `due_ns` is when to sweep again."""

    def __init__(self) -> None:
        self.halt_id: HaltId | None = None
        self.due_ns: int | None = None
        self._stopped_at_ns: int | None = None
        self._cancels_sent_at_ns: int | None = None
        self._verified_at_ns: int | None = None
        self._open: int | None = None
        self._canceled: dict[ClientOrderId, int] = {}  # and when last
        self._query = FIRST_QUERY
        self._proves = False  # whether an empty answer to it proves that nothing is open

    @property
    def is_on(self) -> bool:
        """Whether the worker must hand nothing new to a venue."""
        return self.halt_id is not None

    def halt(self, halt_id: HaltId, now_ns: int) -> bool:
        """Stop from now on; return whether this halt is news."""
        if halt_id == self.halt_id:
            return False
        self.halt_id = halt_id
        self._stopped_at_ns = now_ns
        self.on_account_dropped()
        return True

    def lift(self, halt_id: HaltId) -> bool:
        """Trade again if it is this halt that was lifted; return whether it was."""
        if halt_id != self.halt_id:
            return False
        self.halt_id = None
        self._stopped_at_ns = None
        self.on_account_dropped()
        return True

    def on_session_ended(self) -> None:
        """Nothing can be asked until the next log-in."""
        self.due_ns = None
        self._query += 1

    def on_account_dropped(self) -> None:
        """What was found out concerned another account, or another halt."""
        self.on_session_ended()
        self._cancels_sent_at_ns = None
        self._verified_at_ns = None
        self._open = None
        self._canceled.clear()

    def sweep(self, sent: SentOrders, now_ns: int, *, read_lag_ns: int) -> list[Request]:
        """Return what to ask a venue that the account is logged into: cancels, and a list."""
        if self._stopped_at_ns is None:
            return []
        known = [one.order.client_order_id for one in sent.orders.values() if one.counted]
        requests = self._cancel(known, now_ns)
        self._query += 1
        self._proves = (
            now_ns >= self._stopped_at_ns + read_lag_ns and sent.next_deadline_ns() is None
        )
        is_over = self._verified_at_ns is not None
        self.due_ns = now_ns + (LOOK_AGAIN_NS if is_over else LIST_AGAIN_NS)
        return [*requests, ListOpenOrders(query_id=self._query)]

    def on_open_orders(self, told: OpenOrders, desk_id: DeskId, now_ns: int) -> list[Request]:
        """Return the cancels of what is open and ours; other people's orders are left alone."""
        if self.halt_id is None or told.query_id != self._query:
            return []
        prefix = f"{desk_id}-" if desk_id else ""
        listed = [one.order.client_order_id for one in told.orders]
        ours = [key for key in listed if key.startswith(prefix)]
        requests = self._cancel(ours, now_ns)
        self._open = len(ours)
        if self._cancels_sent_at_ns is None:
            self._cancels_sent_at_ns = now_ns
        if ours:
            self._verified_at_ns = None
            self.due_ns = now_ns + LIST_AGAIN_NS
        elif self._proves and self._verified_at_ns is None:
            self._verified_at_ns = now_ns
            self.due_ns = now_ns + LOOK_AGAIN_NS
        return requests

    def _cancel(self, keys: list[ClientOrderId], now_ns: int) -> list[Request]:
        requests: list[Request] = []
        for key in keys:
            last_ns = self._canceled.get(key)
            if last_ns is None or now_ns - last_ns >= CANCEL_AGAIN_NS:
                self._canceled[key] = now_ns
                requests.append(CancelOrder(client_order_id=key))
        return requests

    def view(self, name: str, account_id: AccountId | None, now: Instant) -> HandHaltView:
        """Return how far it is."""
        return HandHaltView(
            name=name,
            account_id=account_id,
            now_ns=now.now_ns,
            halt_id=self.halt_id,
            stopped_at_ns=self._stopped_at_ns,
            cancels=len(self._canceled),
            cancels_sent_at_ns=self._cancels_sent_at_ns,
            open_orders=self._open,
            verified_at_ns=self._verified_at_ns,
        )
