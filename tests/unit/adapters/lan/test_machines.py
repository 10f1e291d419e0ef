"""Whom a pool lets in."""

from pathlib import Path

import msgspec
import pytest

from tandem.adapters.lan.machines import (
    MACHINES_MAX,
    SERIALS_MAX,
    Certified,
    Machine,
    Machines,
)
from tandem.adapters.lan.refusals import JoinRefusedError
from tandem.domain.errors import ConfigurationError

LAPTOP = Machine(name="laptop", key="k1", serials=("01",), joined_s=1, expires_s=100)


@pytest.fixture
def machines(tmp_path: Path) -> Machines:
    made = Machines(tmp_path)
    made.add(LAPTOP)
    return made


def again(serial: str, **changes: object) -> Machine:
    return msgspec.structs.replace(LAPTOP, serials=(serial,), **changes)


def test_a_machine_is_let_in_with_its_own_certificate(machines: Machines) -> None:
    assert machines.refusal(Certified("laptop", "01")) == ""
    assert "no machine" in machines.refusal(Certified("tower", "01"))
    assert "newer certificate" in machines.refusal(Certified("laptop", "02"))


def test_a_removed_machine_is_let_in_no_more(machines: Machines, tmp_path: Path) -> None:
    """Also by a process that has read the file before."""
    other = Machines(tmp_path)
    assert other.refusal(Certified("laptop", "01")) == ""
    assert machines.remove("laptop", 7) == LAPTOP
    assert "was removed" in other.refusal(Certified("laptop", "01"))
    with pytest.raises(JoinRefusedError, match="was removed"):
        other.refuse_stranger("laptop", key="k1")
    with pytest.raises(ConfigurationError, match="no machine 'laptop'; there are: none"):
        machines.remove("laptop", 8)


def test_a_removed_machine_may_come_back_with_another_certificate(machines: Machines) -> None:
    machines.remove("laptop", 7)
    machines.add(again("02", key="k2", joined_s=9))
    assert machines.refusal(Certified("laptop", "02")) == ""
    assert "newer" in machines.refusal(Certified("laptop", "01"))


def test_a_name_is_one_machines(machines: Machines) -> None:
    """A4: duplicates are rejected."""
    with pytest.raises(JoinRefusedError, match="another machine is called laptop"):
        machines.add(again("02", key="k2"))
    machines.refuse_taken("laptop", key="k1")


def test_the_latest_certificates_of_a_machine_are_good(machines: Machines) -> None:
    for number in range(2, SERIALS_MAX + 2):
        machines.add(again(f"{number:02}", joined_s=number, expires_s=100 + number))
    assert "newer" in machines.refusal(Certified("laptop", "01"))
    assert machines.refusal(Certified("laptop", "02")) == ""
    found = machines.named("laptop")
    assert found is not None
    assert (found.joined_s, found.expires_s) == (1, 101 + SERIALS_MAX)


def test_a_stranger_is_whoever_has_another_name_or_key(machines: Machines) -> None:
    machines.refuse_stranger("laptop", key="k1")
    for name, key in (("laptop", "k2"), ("tower", "k1")):
        with pytest.raises(JoinRefusedError, match="use a token"):
            machines.refuse_stranger(name, key=key)


def test_machines_are_listed_by_name(machines: Machines) -> None:
    machines.add(again("03", name="attic"))
    assert [one.name for one in machines.all()] == ["attic", "laptop"]


def test_there_are_not_too_many(tmp_path: Path) -> None:
    many = [msgspec.structs.replace(LAPTOP, name=f"m{number}") for number in range(MACHINES_MAX)]
    (tmp_path / "machines.json").write_bytes(msgspec.json.encode(many))
    with pytest.raises(JoinRefusedError, match="machines already"):
        Machines(tmp_path).add(LAPTOP)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "machines.json").write_text("{")
    with pytest.raises(ConfigurationError, match=r"machines\.json"):
        Machines(tmp_path).all()
    assert "machines.json" in Machines(tmp_path).refusal(Certified("laptop", "01"))


def test_a_messaging_key_may_speak_while_its_machine_is_a_member(machines: Machines) -> None:
    """Not once it was removed, or its certificate has ended."""
    assert machines.holder("aa", 50) is None
    machines.add(again("02", messaging="aa"))
    assert machines.holder("aa", 50) == "laptop"
    assert machines.holder("ab", 50) is None
    assert machines.holder("aa", 100) is None
    machines.add(again("03", messaging="ab"))
    assert machines.holder("aa", 50) is None
    assert machines.holder("ab", 50) == "laptop"
    machines.remove("laptop", 60)
    assert machines.holder("ab", 50) is None


def test_a_messaging_key_is_one_machines(machines: Machines) -> None:
    machines.add(again("02", messaging="aa"))
    with pytest.raises(JoinRefusedError, match="laptop has that messaging key"):
        machines.add(again("03", name="attic", key="k2", messaging="aa"))
    assert machines.named("attic") is None
