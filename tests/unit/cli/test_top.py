"""`tandem top` before its screen is there."""

from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from tandem.cli import top
from tandem.cli.calling import BadInputError
from tandem.domain.errors import ConfigurationError
from tandem.wiring.home import Home


async def test_what_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C13."""

    def absent(_name: str) -> ModuleSpec | None:
        return None

    monkeypatch.setattr(top, "find_spec", absent)
    with pytest.raises(ConfigurationError, match=r"pip install 'tandem-trading\[top\]'"):
        await top.run_top(Home(tmp_path))


async def test_a_screen_needs_a_terminal(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="tandem status --json"):
        await top.run_top(Home(tmp_path))
