"""Where metrics are served, and that they can be."""

import socket
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from tandem.domain.errors import ConfigurationError
from tandem.wiring import metrics
from tandem.wiring.home import Home
from tandem.wiring.metrics import MetricsPlan, MetricsSettings, refuse_unservable
from tandem.wiring.settings import read_settings


def test_a_port_alone_is_of_this_computer_only() -> None:
    """C13."""
    plan = MetricsSettings(address="9187").plan
    assert plan == MetricsPlan(host="127.0.0.1", port=9187)
    assert plan.address == "127.0.0.1:9187"
    assert MetricsSettings(address="tower:9187").plan.host == "tower"


@pytest.mark.parametrize("address", ["0", "65536", "tower", "tower:x", ""])
def test_addresses_that_cannot_be_are_refused(address: str) -> None:
    with pytest.raises(ConfigurationError, match="expected"):
        MetricsSettings(address=address)


def test_the_file_may_ask_for_metrics(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.settings_file.write_text('[metrics]\naddress = "9187"\n')
    assert read_settings(home).metrics == MetricsSettings(address="9187")
    home.settings_file.write_text("[metrics]\nport = 9187\n")
    with pytest.raises(ConfigurationError, match="port"):
        read_settings(home)


async def test_a_port_that_is_taken_is_refused_before_anything_starts() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"metrics at 127.0.0.1:{port}: "):
            await refuse_unservable(MetricsPlan(host="127.0.0.1", port=port))
    await refuse_unservable(MetricsPlan(host="127.0.0.1", port=port))


async def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """C13."""

    def absent(_name: str) -> ModuleSpec | None:
        return None

    monkeypatch.setattr(metrics, "find_spec", absent)
    with pytest.raises(ConfigurationError, match=r"pip install 'tandem-trading\[metrics\]'"):
        await refuse_unservable(MetricsPlan(host="127.0.0.1", port=1))
