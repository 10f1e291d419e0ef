"""The table `lan` of `tandem.toml`."""

from pathlib import Path

import pytest

from tandem.domain.errors import ConfigurationError
from tandem.wiring.home import Home
from tandem.wiring.settings import LanPlan, LanSettings, lan_plan, read_settings


def test_other_computers_reach_five_ports_in_a_row() -> None:
    plan = lan_plan(LanSettings(address="tower:7440"))
    assert plan == LanPlan(host="tower", port=7440)
    assert (plan.joining, plan.workers) == ("tower:7440", "tower:7441")
    assert (plan.exchange, plan.halting) == ("tower:7442", "tower:7443")
    assert plan.tasks == "tower:7444"


def test_a_port_alone_means_every_address_of_this_computer() -> None:
    assert lan_plan(LanSettings(address="7440")).joining == "0.0.0.0:7440"


@pytest.mark.parametrize("address", ["0", "65532", "tower", "tower:x"])
def test_ports_that_cannot_be_are_refused(address: str) -> None:
    with pytest.raises(ConfigurationError, match="expected"):
        lan_plan(LanSettings(address=address))


def test_the_file_may_open_the_pool(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.settings_file.write_text('[lan]\naddress = "7440"\nannounce = false\n')
    assert read_settings(home).lan == LanSettings(address="7440", announce=False)
    home.settings_file.write_text('[lan]\naddress = "7440"\nport = 1\n')
    with pytest.raises(ConfigurationError, match="port"):
        read_settings(home)
    home.settings_file.write_text('[lan]\naddress = "x:y"\n')
    with pytest.raises(ConfigurationError, match="expected"):
        read_settings(home)
