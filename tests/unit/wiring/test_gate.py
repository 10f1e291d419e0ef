"""Who is enrolled at the gate, and who is told why not."""

import socket
from importlib.metadata import version
from pathlib import Path

import msgspec
import pytest

from tandem.adapters.lan.authority import new_key, request_for, take_authority
from tandem.adapters.lan.machines import Machines
from tandem.adapters.lan.tokens import Token, Tokens
from tandem.domain.errors import ConfigurationError
from tandem.domain.ids import VenueId
from tandem.wiring.gate import Gate, Ports, open_lan
from tandem.wiring.join_words import Enroll, Enrolled, JoinAnswer, NotEnrolled
from tandem.wiring.settings import LanPlan

NOW_S = 1_800_000_000
PORTS = Ports(workers=7441, venues={VenueId("paper"): 7442}, halts=7443)


class Pool:
    """A gate, a clock that is set by hand, and what was said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now_s = NOW_S
        self.said: list[str] = []
        self.gate = Gate(
            take_authority(folder, NOW_S),
            folder,
            PORTS,
            now_s=lambda: self.now_s,
            say=self.said.append,
        )

    def token(self, letter: bytes = b"s") -> bytes:
        token = Token(secret=letter * 16, fingerprint=b"f" * 16)
        Tokens(self.folder).add(token, minutes=10, now_s=self.now_s)
        return token.secret

    def refusal(self, asked: Enroll, host: str = "10.0.0.7") -> str:
        answer = self.gate.enroll(asked, host)
        assert isinstance(answer, NotEnrolled)
        assert self.said[-1] == f"{host} refused: {answer.reason}"
        return answer.reason


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    return Pool(tmp_path)


def asked(secret: bytes | None, *, key: bytes | None = None, name: str = "laptop") -> Enroll:
    return Enroll(
        name=name,
        request=request_for(key if key is not None else new_key(), name),
        version=version("tandem-trading"),
        secret=secret,
    )


def enrolled(answer: JoinAnswer) -> Enrolled:
    assert isinstance(answer, Enrolled), answer
    return answer


def test_with_a_token_a_computer_is_enrolled(pool: Pool) -> None:
    """A4."""
    answer = enrolled(pool.gate.enroll(asked(pool.token()), "10.0.0.7"))
    assert (answer.workers_port, answer.halts_port) == (PORTS.workers, PORTS.halts)
    assert answer.venue_ports == PORTS.venues
    assert answer.tasks_port is None
    assert pool.said == ["10.0.0.7 joined as laptop"]
    found = Machines(pool.folder).named("laptop")
    assert found is not None
    assert found.expires_s == NOW_S + 365 * 86_400


def test_once_enrolled_it_comes_back_without_a_token(pool: Pool) -> None:
    key = new_key()
    first = enrolled(pool.gate.enroll(asked(pool.token(), key=key), "h"))
    second = enrolled(pool.gate.enroll(asked(None, key=key), "h"))
    assert first.certificate != second.certificate


def test_without_a_token_a_stranger_is_refused(pool: Pool) -> None:
    assert "use a token" in pool.refusal(asked(None))
    enrolled(pool.gate.enroll(asked(pool.token()), "h"))
    assert "another machine is called" in pool.refusal(asked(None))  # it has another key


def test_a_removed_machine_needs_a_new_token(pool: Pool) -> None:
    key = new_key()
    enrolled(pool.gate.enroll(asked(pool.token(), key=key), "h"))
    Machines(pool.folder).remove("laptop", NOW_S)
    assert "was removed" in pool.refusal(asked(None, key=key))
    enrolled(pool.gate.enroll(asked(pool.token(b"t"), key=key), "h"))


def test_a_used_an_expired_and_a_wrong_token_are_refused(pool: Pool) -> None:
    secret = pool.token()
    enrolled(pool.gate.enroll(asked(secret), "h"))
    assert "used already" in pool.refusal(asked(secret, name="other"))
    late = pool.token(b"t")
    pool.now_s += 600
    assert "expired" in pool.refusal(asked(late, name="other"))
    assert "never made" in pool.refusal(asked(b"x" * 16, name="other"))


def test_a_name_that_is_taken_costs_nobody_a_token(pool: Pool) -> None:
    """A4: duplicates are rejected."""
    enrolled(pool.gate.enroll(asked(pool.token()), "h"))
    second = pool.token(b"t")
    assert "another machine is called laptop" in pool.refusal(asked(second))
    enrolled(pool.gate.enroll(asked(second, name="laptop-2"), "h"))


def test_a_bad_name_and_a_bad_request_cost_nobody_a_token(pool: Pool) -> None:
    secret = pool.token()
    bad = msgspec.structs.replace(asked(secret), name="../up")
    assert "machine name" in pool.refusal(bad)
    bad = msgspec.structs.replace(asked(secret), request=b"nonsense")
    assert "certificate request" in pool.refusal(bad)
    enrolled(pool.gate.enroll(asked(secret), "h"))


def test_after_five_wrong_tokens_a_host_waits_with_a_right_one_too(pool: Pool) -> None:
    for _ in range(5):
        assert "never made" in pool.refusal(asked(b"x" * 16))
    secret = pool.token()
    assert "wait 60 s" in pool.refusal(asked(secret))
    enrolled(pool.gate.enroll(asked(secret, name="other"), "another host"))
    pool.now_s += 60
    enrolled(pool.gate.enroll(asked(pool.token(b"t")), "10.0.0.7"))


def test_another_version_is_refused(pool: Pool) -> None:
    """F22: versions are not mixed."""
    other = msgspec.structs.replace(asked(pool.token()), version="0.0.1")
    assert "it runs Tandem '0.0.1', and this pool runs" in pool.refusal(other)


def test_a_port_that_is_taken_is_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        plan = LanPlan(host="127.0.0.1", port=port - 1)
        with pytest.raises(ConfigurationError, match=f"cannot listen at 127.0.0.1:{port}"):
            open_lan(tmp_path / "lan", plan)
