"""Where the accounts' secrets are, and where they are not."""

import os
from pathlib import Path

import msgspec
import pytest

from tandem.wiring.home import Home
from tandem.wiring.settings import Settings, take_paper
from tests.system.running import memory_of, pool, processes, tandem, wait_for


def test_a_worker_knows_the_secret_of_its_own_account_and_no_other(tmp_path: Path) -> None:
    """A6: by the memory of the processes; nor is any in a log or in the coordinator's journal."""
    home = Home(tmp_path / "home")
    home.make()
    paper = take_paper(home, Settings(accounts=4), None)
    planted = {
        one.account_id: f"planted-{one.account_id}-{index * 7919 + 10_007}"
        for index, one in enumerate(paper.exchange.accounts)
    }
    accounts = tuple(
        msgspec.structs.replace(one, secret=planted[one.account_id])
        for one in paper.exchange.accounts
    )
    exchange = msgspec.structs.replace(paper.exchange, accounts=accounts)
    marked = msgspec.structs.replace(paper, exchange=exchange)
    home.paper_file.write_bytes(msgspec.json.encode(marked))
    with pool(home.folder, "--workers", 5) as process:
        status = wait_for(home.folder, lambda one: sum(slot.ready for slot in one.slots) == 4)
        code, out, err = tandem("order", "buy", "T", 8, "--wait", "--home", home.folder)
        assert code == 0, out + err
        holders = {one.pid: one.account_id for one in status.slots}
        named = processes(process.pid)
        workers = {name: pid for name, pid in named.items() if name.startswith("p")}
        assert len(workers) == 5
        for name, pid in {**workers, "nursery": named["nursery"]}.items():
            if os.geteuid() != 0:
                # What cannot be dumped, nobody but root can look into.
                with pytest.raises(PermissionError):
                    memory_of(pid)
                continue
            memory = memory_of(pid)
            known = [key for key, secret in planted.items() if secret.encode() in memory]
            own = [holders[pid]] if pid in holders else []
            assert known == own, f"{name} knows the secrets of {known}, and drives {own}"
        code, out, err = tandem(
            "log", "show", "--journal", "exchange", "--json", "--home", home.folder
        )
        assert code == 0, err
    assert '"kind":"login"' in out
    assert not [secret for secret in planted.values() if secret in out]
    for path in (home.log_file, *home.coordinator.iterdir()):
        content = path.read_bytes()
        assert not [secret for secret in planted.values() if secret.encode() in content], path
