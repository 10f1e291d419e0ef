"""One login at the paper exchange, for who asks it past the pool."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TypeVar

import msgspec

from tandem.adapters.local.network import UnixNetwork
from tandem.domain.control import ANSWER_BYTES_MAX
from tandem.domain.errors import VenueUnreachableError
from tandem.domain.exchange import AccountSettings
from tandem.domain.venue import LoggedIn, Login, VenueMessage, VenueRequest
from tandem.shells.link import Link
from tandem.wiring.home import Home

R = TypeVar("R")


class VenueSession:
    """It keeps what it hears of some kinds, until that is asked for; other news is dropped."""

    def __init__(self, account: AccountSettings, kinds: tuple[type[VenueMessage], ...]) -> None:
        self._account = account
        self._kinds = (LoggedIn, *kinds)
        self._messages: asyncio.Queue[VenueMessage | str] = asyncio.Queue(maxsize=10_000)
        self.link: Link[VenueMessage] = Link(
            msgspec.msgpack.Decoder(list[VenueMessage]),
            self._on_messages,
            self._on_open,
            lambda _, reason: self._messages.put_nowait(reason),
        )
        self.link.bytes_max = ANSWER_BYTES_MAX

    def _on_open(self, link: Link[VenueMessage]) -> None:
        link.send(Login(account_id=self._account.account_id, secret=self._account.secret))

    def _on_messages(
        self, _link: Link[VenueMessage], _epoch: int, messages: Sequence[VenueMessage]
    ) -> None:
        for message in messages:
            if isinstance(message, self._kinds):
                self._messages.put_nowait(message)

    async def heard(self, *kinds: type[R]) -> R:
        """Return the next message, which must be of one of these kinds.

        Raises:
            VenueUnreachableError: it is not, or the exchange hung up.
        """
        message = await self._messages.get()
        if not isinstance(message, kinds):
            raise VenueUnreachableError(f"{self._account.account_id}: {message}")
        return message

    async def ask(self, request: VenueRequest, kind: type[R]) -> R:
        """Return the answer to a question.

        Raises:
            VenueUnreachableError: something else came, or the exchange hung up.
        """
        self.link.send(request)
        return await self.heard(kind)


@contextlib.asynccontextmanager
async def venue_session(
    home: Home, account: AccountSettings, *kinds: type[VenueMessage]
) -> AsyncIterator[VenueSession]:
    """Yield a session that is logged in to the account and keeps messages of those kinds.

    Raises:
        OSError: the exchange is not there.
        VenueUnreachableError: it hung up.
    """
    session = VenueSession(account, kinds)
    make: Callable[[], asyncio.Protocol] = lambda: session.link  # noqa: E731 - a typed thunk
    await UnixNetwork().connect(home.exchange_socket, make)
    try:
        await session.heard(LoggedIn)
        yield session
    finally:
        session.link.drop("done")
