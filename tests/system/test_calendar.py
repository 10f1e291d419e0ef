"""A pool that lives through the end of a session that closes early."""

from pathlib import Path

from tests.system.running import pool, tandem, wait_for


def test_orders_end_with_the_session_and_none_are_taken_after_it(tmp_path: Path) -> None:
    """A28, A29: the Friday after Thanksgiving closes at 18:00 UTC."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    said = 'calendar = "XNYS"\n[calendars]\ncrypto = ""\n'
    (home / "tandem.toml").write_text(said, encoding="utf-8")
    begin = ("--begin", "2026-11-27T17:50+00:00", "--speed", 60)
    with pool(home, *begin):
        code, out, err = tandem("order", "buy", "GE", 16, "--price", "13.00", "--home", home)
        assert code == 0, out + err
        wait_for(home, lambda status: all(one.open_orders for one in status.slots))
        wait_for(home, lambda status: not status.parents_open)
        code, out, err = tandem("order", "buy", "GE", 16, "--price", "13.00", "--home", home)
        assert code == 1
        assert "session_closed" in out + err
        code, out, err = tandem("order", "buy", "BTCUSD", "0.8", "--home", home)
        assert code == 0, out + err
        code, out, _ = tandem("orders", "--home", home)
        assert code == 0
        assert " incomplete" in out
