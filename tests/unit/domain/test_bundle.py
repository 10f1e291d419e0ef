"""What is given at set-up, as it is sent."""

import msgspec
import pytest

from tandem.domain.bundle import Holdings, holdings_of
from tandem.domain.errors import FrameError
from tests.unit.core.evaluating.test_tenants import a_task


def test_holdings_arrive_as_they_were_sent() -> None:
    made = Holdings(tasks=(msgspec.structs.replace(a_task(attached=[4]), only_holds=True),))
    assert holdings_of(msgspec.msgpack.encode(made)) == made


@pytest.mark.parametrize("content", [b"", b"\xc1", msgspec.msgpack.encode([[1]])])
def test_bytes_that_are_none_are_refused(content: bytes) -> None:
    with pytest.raises(FrameError, match="not what an evaluator holds"):
        holdings_of(content)
