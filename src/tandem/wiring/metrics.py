"""The process that serves metrics: it asks the coordinator as a screen does, and trades nothing."""

import asyncio
from importlib.util import find_spec
from typing import Final

import msgspec

from tandem.adapters.lan.addresses import address_text, split_address
from tandem.domain.errors import ConfigurationError, CoordinatorUnreachableError
from tandem.wiring.asking import desk_line
from tandem.wiring.evaluators import ask_evaluators
from tandem.wiring.home import Home

ASK_S: Final = 3.0
LOOPBACK: Final = "127.0.0.1"


class MetricsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table `metrics` of `tandem.toml`: `address` is PORT, on this computer only, or HOST:PORT.

    Raises:
        ConfigurationError: the address cannot be.
    """

    address: str

    def __post_init__(self) -> None:
        if self.plan.port == 0:
            raise ConfigurationError("metrics: expected a port from 1 to 65535")

    @property
    def plan(self) -> "MetricsPlan":
        """What the settings mean."""
        host, port = split_address(self.address, host=LOOPBACK)
        return MetricsPlan(host=host, port=port)


class MetricsPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Where metrics are served."""

    host: str
    port: int

    @property
    def address(self) -> str:
        """The same as text."""
        return address_text(self.host, self.port)


async def refuse_unservable(plan: MetricsPlan) -> None:
    """See that metrics could be served there.

    Raises:
        ConfigurationError: they could not; says why.
    """
    if find_spec("prometheus_client") is None:
        raise ConfigurationError("metrics need pip install 'tandem-trading[metrics]'")
    try:
        probe = await asyncio.start_server(lambda *_: None, plan.host, plan.port)
    except OSError as error:
        raise ConfigurationError(f"metrics at {plan.address}: {error.strerror}") from error
    probe.close()
    await probe.wait_closed()


async def run_metrics(home: Home, plan: MetricsPlan) -> None:
    """Serve the metrics of a home's pool, until canceled.

    Raises:
        OSError: the port is taken.
    """
    # What makes the page is loaded here, and in no process that trades.
    from tandem.adapters.prometheus.exposition import exposition
    from tandem.adapters.prometheus.server import PageServer

    async with desk_line(home) as line:

        async def page() -> bytes:
            try:
                status = await line.status(ASK_S)
                return exposition(status, await ask_evaluators(home))
            except CoordinatorUnreachableError:
                return exposition(None)

        async with await PageServer(page).listen(plan.host, plan.port) as server:
            await server.serve_forever()
