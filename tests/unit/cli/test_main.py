"""The command itself."""

import importlib
import io
import os
import subprocess
import sys

import pytest

from tandem.cli.main import BAD_INPUT, COMMANDS, OK, run


def _run(*arguments: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    return run(arguments, out, err=err), out.getvalue(), err.getvalue()


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",), ("help",)])
def test_help_names_every_command(arguments: tuple[str, ...]) -> None:
    code, out, err = _run(*arguments)
    assert (code, err) == (OK, "")
    assert all(f"  {name} " in out for name in COMMANDS)


def test_an_unknown_command_is_bad_input() -> None:
    code, out, err = _run("sell-everything")
    assert (code, out) == (BAD_INPUT, "")
    assert "sell-everything" in err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_own_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert importlib.import_module(f"tandem.cli.{COMMANDS[name][0]}").app is not None
    code, _, err = _run(name, "--help")
    assert (code, err) == (OK, "")
    assert f"tandem {name}" in capsys.readouterr().out


def test_help_loads_nothing_but_its_own_module() -> None:
    """So that it is there at once: well within 0.3 s, of which most is Python's own start."""
    program = (
        "import sys; from tandem.cli.main import run; run(['--help'], sys.stderr, err=sys.stderr);"
        "print(*(one for one in sys.modules if one.startswith(('tandem', 'msgspec', 'cyclopts'))))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    found = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    )
    assert found.stdout.split() == ["tandem", "tandem.cli", "tandem.cli.main"]


@pytest.mark.parametrize(
    "arguments", [("trade",), ("up", "--workers", "many"), ("order", "buy"), ("swap", "--nope")]
)
def test_what_cannot_be_parsed_is_bad_input(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(*arguments)[0] == BAD_INPUT
    assert "tandem: " in capsys.readouterr().err
