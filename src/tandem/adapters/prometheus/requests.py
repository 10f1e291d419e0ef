"""The little of HTTP that a scrape takes: bytes in, bytes out."""

import enum
from typing import Final

HEAD_BYTES_MAX: Final = 16_384
HEAD_END: Final = b"\r\n\r\n"
PAGE: Final = "/metrics"


class Status(enum.IntEnum):
    """What is said to a request (RFC 9110, section 15)."""

    OK = 200
    BAD_REQUEST = 400
    NOT_FOUND = 404
    METHOD_NOT_ALLOWED = 405


REASONS: Final = {
    Status.OK: "OK",
    Status.BAD_REQUEST: "Bad Request",
    Status.NOT_FOUND: "Not Found",
    Status.METHOD_NOT_ALLOWED: "Method Not Allowed",
}


def judge(head: bytes) -> tuple[Status, bool]:
    """Return what to say to a request with this head, and whether a body may follow it."""
    words = head.split(b"\r\n", 1)[0].split(b" ")
    if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
        return Status.BAD_REQUEST, True
    method, target, _ = words
    if method not in (b"GET", b"HEAD"):
        return Status.METHOD_NOT_ALLOWED, True
    path = target.split(b"?", 1)[0]
    return Status.OK if path == PAGE.encode() else Status.NOT_FOUND, method == b"GET"


def response(status: Status, body: bytes, *, content_type: str, has_body: bool) -> bytes:
    """Return a whole response, after which the connection ends."""
    head = (
        f"HTTP/1.1 {status.value} {REASONS[status]}\r\n"
        f"Content-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"{'Allow: GET, HEAD' + chr(13) + chr(10) if status is Status.METHOD_NOT_ALLOWED else ''}"
        "Connection: close\r\n\r\n"
    )
    return head.encode("ascii") + (body if has_body else b"")
