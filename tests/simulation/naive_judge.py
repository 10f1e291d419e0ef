"""The judge of the paper exchange: its rules in the plainest words, by scanning lists.

It shares no line with what it judges and none of its ideas: one list of all orders, no price
levels, no queues, no indexes. Whatever would happen is found out by letting it happen to a copy.
It knows no money: whoever is judged must give every account enough of it.

The rules it is written from are those of docs/paper-exchange.md.
"""

import copy
from typing import NamedTuple

ENDS_TAKER = ("reject", "expire_taker", "expire_both")
SIZE_MAX = 2**53

News = tuple[object, ...]  # (account, what, id, figures …)


class Asked(NamedTuple):
    """An order as it is asked."""

    account: str
    name: str
    is_buy: bool
    quantity: int
    limit: int | None = None
    force: str = "day"
    post_only: bool = False
    stop: int | None = None
    trail: int | None = None
    till: int | None = None
    reduces: bool = False


class NaiveOrder:
    def __init__(self, arrival: int, asked: Asked, owner: str) -> None:
        self.arrival = arrival
        self.asked = asked
        self.owner = owner
        self.quantity = asked.quantity
        self.limit = asked.limit
        self.stop = asked.stop
        self.waits = asked.stop is not None
        self.called = False  # its stop price was reached, and it is about to enter
        self.place: int | None = None  # in the book, since when
        self.traded = 0
        self.taken_off = 0
        self.ended = False

    @property
    def left(self) -> int:
        return 0 if self.ended else self.quantity - self.traded - self.taken_off

    @property
    def sign(self) -> int:
        return 1 if self.asked.is_buy else -1


class NaiveJudge:
    def __init__(self, mode: str, owners: dict[str, str], positions: dict[str, int]) -> None:
        self.mode = mode
        self.owners = owners
        self.positions = dict(positions)
        self.orders: list[NaiveOrder] = []  # all of them, by arrival
        self.places = 0
        self.last: int | None = None
        self.now = 0
        self.halted = False
        self.called: list[NaiveOrder] = []
        self.news: list[News] = []

    # -- what is asked

    def take_news(self) -> list[News]:
        news, self.news = self.news, []
        return news

    def place(self, asked: Asked) -> None:
        code = self._refusal(asked)
        if code is not None:
            self._say(asked.account, "rejected", asked.name, code)
            return
        order = NaiveOrder(len(self.orders), asked, self.owners[asked.account])
        if asked.reduces and not order.waits:
            order.taken_off = max(0, order.quantity - self._unclaimed(order))
        self.orders.append(order)
        self._say(asked.account, "accepted", asked.name)
        if not order.waits:
            self._go(order)
        elif self.last is not None:
            self._see_price(self.last)
        self._let_in()

    def cancel(self, account: str, name: str) -> None:
        order = self._named(account, name)
        if order is None or order.ended:
            code = "unknown_order" if order is None else "final"
            self._say(account, "cancel_rejected", name, code)
        else:
            self._end(order, "canceled")

    def amend(self, account: str, name: str, quantity: int, limit: int | None) -> None:
        order = self._named(account, name)
        code = "unknown_order" if order is None else self._change(order, quantity, limit)
        if code is not None:
            self._say(account, "amend_rejected", name, code)
        self._let_in()

    def print_trade(self, price: int) -> None:
        if not self.halted:
            self._see_price(price)
            self._let_in()

    def pass_time(self, now: int) -> None:
        self.now = now
        due = [one for one in self._open() if one.asked.force == "gtd" and self._till(one) <= now]
        for one in sorted(due, key=lambda one: (self._till(one), one.arrival)):
            self._end(one, "expired")

    # -- who may come in

    def _refusal(self, asked: Asked) -> str | None:
        known = self._named(asked.account, asked.name)
        if known is not None and not known.ended:
            return "duplicate_id"
        if self.halted:
            return "closed"
        return self._mistake(asked) or self._misfit(asked)

    def _mistake(self, asked: Asked) -> str | None:
        if not 0 < asked.quantity < SIZE_MAX:
            return "bad_quantity"
        for price in (asked.limit, asked.stop, asked.trail):
            if price is not None and not 0 < price < SIZE_MAX:
                return "bad_price"
        if asked.trail is not None and asked.stop is None:
            return "bad_price"
        if asked.force == "gtd" and (asked.till is None or asked.till <= self.now):
            return "bad_date"
        return None

    def _misfit(self, asked: Asked) -> str | None:
        order = NaiveOrder(len(self.orders), asked, self.owners[asked.account])
        if asked.stop is not None:
            return "would_take" if asked.post_only and asked.limit is None else None
        if asked.reduces:
            if self._unclaimed(order) == 0:
                return "position"
            order.quantity = min(order.quantity, self._unclaimed(order))
        return self._unfit(order)

    def _unfit(self, order: NaiveOrder) -> str | None:
        if order.asked.post_only and (
            order.limit is None or self._first_against(order) is not None
        ):
            return "would_take"
        filled, met_own = self._what_if(order)
        if met_own and self.mode == "reject":
            return "self_match"
        if order.limit is None and filled == 0 and not met_own:
            return "no_liquidity"
        return None

    def _what_if(self, order: NaiveOrder) -> tuple[int, bool]:
        """Return how much it would trade now, and whether it would meet one of its owner."""
        other = NaiveJudge(self.mode, self.owners, self.positions)
        other.orders = [copy.copy(one) for one in self.orders if one is not order]
        taker = copy.copy(order)
        other.orders.append(taker)
        before = taker.traded
        met_own = other._match(taker)
        return taker.traded - before, met_own

    # -- what happens

    def _go(self, order: NaiveOrder) -> None:
        if order.asked.force == "fok":
            filled, met_own = self._what_if(order)
            if filled < order.left or (met_own and self.mode == "decrement"):
                self._end(order, "expired")
                return
        met_own = self._match(order)
        if order.ended:
            return
        if met_own and self.mode in ENDS_TAKER:
            self._end(order, "canceled")
        elif order.limit is None or order.asked.force in ("ioc", "fok"):
            self._end(order, "expired")
        else:
            self.places += 1
            order.place = self.places

    def _match(self, taker: NaiveOrder) -> bool:
        """Trade as far as it goes; return whether an own order was met."""
        met_own = False
        while taker.left:
            maker = self._first_against(taker)
            if maker is None:
                break
            if maker.owner != taker.owner:
                self._trade(taker, maker)
                continue
            met_own = True
            if self.mode == "decrement":
                quantity = min(maker.left, taker.left)
                self._take_off(maker, quantity)
                self._take_off(taker, quantity)
                continue
            if self.mode in ("expire_maker", "expire_both"):
                self._end(maker, "canceled")
            if self.mode != "expire_maker":
                break
        return met_own

    def _first_against(self, taker: NaiveOrder) -> NaiveOrder | None:
        first: NaiveOrder | None = None
        for one in self.orders:
            if one.ended or one.place is None or one.asked.is_buy == taker.asked.is_buy:
                continue
            price, place = self._limit(one), one.place
            if taker.limit is not None and taker.sign * price > taker.sign * taker.limit:
                continue
            if first is None:
                first = one
                continue
            best = taker.sign * self._limit(first)
            if taker.sign * price < best or (
                taker.sign * price == best and place < (first.place or 0)
            ):
                first = one
        return first

    def _trade(self, taker: NaiveOrder, maker: NaiveOrder) -> None:
        quantity = min(taker.left, maker.left)
        price = self._limit(maker)
        for one in (taker, maker):
            one.traded += quantity
            account = one.asked.account
            self.positions[account] += one.sign * quantity
            self._say(account, "filled", one.asked.name, quantity, price)
            if one.left == 0:
                self._end(one, "canceled" if one.taken_off else "filled")
            self._cut(account)
        self._see_price(price)

    def _end(self, order: NaiveOrder, how: str) -> None:
        order.ended = True
        order.place = None
        if how != "filled":
            self._say(order.asked.account, how, order.asked.name, order.traded)

    def _take_off(self, order: NaiveOrder, quantity: int) -> None:
        order.taken_off += quantity
        if order.left == 0:
            self._end(order, "canceled")

    # -- stop prices

    def _see_price(self, price: int) -> None:
        self.last = price
        for one in self._open():
            if not one.waits or one.called or one.stop is None:
                continue
            if price >= one.stop if one.asked.is_buy else price <= one.stop:
                one.called = True
                self.called.append(one)
            elif one.asked.trail is not None and one.asked.is_buy:
                one.stop = min(one.stop, price + one.asked.trail)
            elif one.asked.trail is not None:
                one.stop = max(one.stop, price - one.asked.trail)

    def _let_in(self) -> None:
        while self.called:
            self._trigger(self.called.pop(0))

    def _trigger(self, order: NaiveOrder) -> None:
        order.waits = False
        if order.asked.reduces:
            account = order.asked.account
            room = self._room(account, order.sign)
            order.taken_off += max(0, order.left - room)
            if order.left == 0:
                self._end(order, "canceled")
                return
            self._cut(account, first=order)
        if self._unfit(order) in ("would_take", "self_match"):
            self._end(order, "canceled")
        else:
            self._go(order)

    # -- what may only reduce

    def _room(self, account: str, sign: int) -> int:
        """Return how much of the position orders of that side could reduce."""
        position = self.positions[account]
        return abs(position) if position * sign < 0 else 0

    def _claims(self, account: str) -> list[NaiveOrder]:
        return [
            one
            for one in self._open()
            if one.asked.account == account and one.asked.reduces and not one.waits
        ]

    def _unclaimed(self, order: NaiveOrder) -> int:
        account = order.asked.account
        claimed = sum(one.left for one in self._claims(account))
        return max(0, self._room(account, order.sign) - claimed)

    def _cut(self, account: str, first: NaiveOrder | None = None) -> None:
        """Take from the youngest what the position has no room for; `first` keeps all it has."""
        claims = self._claims(account)
        if not claims:
            return
        surplus = sum(one.left for one in claims) - self._room(account, claims[0].sign)
        cuts = []
        for one in reversed([one for one in claims if one is not first]):
            if surplus > 0:
                cuts.append((one, min(surplus, one.left)))
                surplus -= one.left
        for one, quantity in reversed(cuts):
            self._take_off(one, quantity)

    # -- amendments

    def _change(self, order: NaiveOrder, quantity: int, limit: int | None) -> str | None:
        if order.ended:
            return "final"
        code = self._mistaken_change(order, quantity, limit)
        if code is not None:
            return code
        keeps_place = limit == order.limit and quantity <= order.quantity
        if self.halted and not keeps_place:
            return "closed"
        wish = copy.copy(order)
        wish.quantity, wish.limit, wish.place = quantity, limit, None
        if order.asked.reduces and not order.waits:
            wish.taken_off += max(0, wish.left - order.left - self._unclaimed(order))
        if not keeps_place and not order.waits:
            without = [one for one in self.orders if one is not order]
            self.orders, everything = without, self.orders
            code = self._unfit(wish)
            self.orders = everything
            if code is not None:
                return code
        order.quantity, order.limit, order.taken_off = quantity, limit, wish.taken_off
        self._say(order.asked.account, "amended", order.asked.name, quantity, limit, order.traded)
        if not keeps_place and not order.waits:
            order.place = None
            self._go(order)
        return None

    def _mistaken_change(self, order: NaiveOrder, quantity: int, limit: int | None) -> str | None:
        if (quantity, limit) == (order.quantity, order.limit):
            return None
        if not 0 < quantity < SIZE_MAX:
            return "bad_quantity"
        if (limit is None) != (order.limit is None):
            return "bad_price"
        if limit is not None and not 0 < limit < SIZE_MAX:
            return "bad_price"
        return "traded" if quantity <= order.traded + order.taken_off else None

    # -- looking things up

    def _say(self, *news: object) -> None:
        self.news.append(news)

    def _open(self) -> list[NaiveOrder]:
        return [one for one in self.orders if not one.ended]

    def _named(self, account: str, name: str) -> NaiveOrder | None:
        key = (account, name)
        found = [one for one in self.orders if (one.asked.account, one.asked.name) == key]
        return found[-1] if found else None

    @staticmethod
    def _till(order: NaiveOrder) -> int:
        assert order.asked.till is not None
        return order.asked.till

    @staticmethod
    def _limit(order: NaiveOrder) -> int:
        assert order.limit is not None
        return order.limit
