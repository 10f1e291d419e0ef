"""Addresses as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.adapters.lan.addresses import address_text, is_remote, split_address
from tandem.domain.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tower:80", ("tower", 80)),
        ("tower", ("tower", 7440)),
        ("10.0.0.7:1", ("10.0.0.7", 1)),
        ("[::1]:80", ("::1", 80)),
        ("[::1]", ("::1", 7440)),
        ("fe80::1:2", ("fe80::1:2", 7440)),
    ],
)
def test_a_host_may_stand_alone_where_the_port_is_known(
    text: str, expected: tuple[str, int]
) -> None:
    assert split_address(text, port=7440) == expected


@pytest.mark.parametrize("text", ["80", ":80"])
def test_a_port_may_stand_alone_where_the_host_is_known(text: str) -> None:
    assert split_address(text, host="10.0.0.1") == ("10.0.0.1", 80)


@pytest.mark.parametrize(
    "text", ["", "tower", ":", "tower:", "tower:x", "tower:-1", "tower:65536", "::1", "tower:٣"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"expected"):
        split_address(text)


@given(st.sampled_from(["tower", "10.0.0.7", "::1", "fe80::1"]), st.integers(0, 65_535))
def test_what_is_written_is_read_the_same(host: str, port: int) -> None:
    text = address_text(host, port)
    assert split_address(text) == (host, port)
    assert is_remote(text)


@pytest.mark.parametrize("path", ["/run/workers.sock", "run/a:1", "workers.sock"])
def test_the_path_of_a_socket_is_not_remote(path: str) -> None:
    assert not is_remote(path)
