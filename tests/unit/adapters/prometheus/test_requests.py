"""The little of HTTP that a scrape takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.adapters.prometheus.requests import Status, judge, response


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"GET /metrics HTTP/1.1", (Status.OK, True)),
        (b"GET /metrics?name=x HTTP/1.0", (Status.OK, True)),
        (b"HEAD /metrics HTTP/1.1", (Status.OK, False)),
        (b"GET / HTTP/1.1", (Status.NOT_FOUND, True)),
        (b"POST /metrics HTTP/1.1", (Status.METHOD_NOT_ALLOWED, True)),
        (b"GET /metrics", (Status.BAD_REQUEST, True)),
        (b"GET /metrics HTTP/2", (Status.BAD_REQUEST, True)),
        (b"\x16\x03\x01", (Status.BAD_REQUEST, True)),
    ],
)
def test_only_the_page_is_served(line: bytes, expected: tuple[Status, bool]) -> None:
    assert judge(line + b"\r\nHost: x\r\n\r\n") == expected


@given(st.binary())
def test_whatever_comes_is_judged(head: bytes) -> None:
    status, _ = judge(head)
    assert status in Status


def test_a_response_says_how_long_it_is_and_that_it_is_the_last() -> None:
    told = response(Status.OK, b"page", content_type="text/x", has_body=True)
    assert told == (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/x\r\nContent-Length: 4\r\n"
        b"Connection: close\r\n\r\npage"
    )
    assert response(Status.OK, b"page", content_type="text/x", has_body=False) + b"page" == told


def test_a_wrong_method_hears_which_are_right() -> None:
    """RFC 9110, section 15.5.6."""
    told = response(Status.METHOD_NOT_ALLOWED, b"", content_type="text/x", has_body=True)
    assert b"\r\nAllow: GET, HEAD\r\n" in told
