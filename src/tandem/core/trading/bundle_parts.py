"""The set-up bundle as it comes, part by part."""

from tandem.domain.link import BUNDLE_BYTES_MAX, BundlePart


class BundleParts:
    """What has come so far. The first part begins anew, whatever was there."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._bytes = 0

    def clear(self) -> None:
        """Forget what has come: the rest will not."""
        self._parts.clear()
        self._bytes = 0

    def take(self, part: BundlePart) -> bytes | None:
        """Return the whole bundle with its last part; None before, or when it cannot be one.

        A part out of order means that it will all be sent again; what is too long is dropped.
        """
        if part.index == 0:
            self.clear()
        if part.index != len(self._parts):
            return None
        self._parts.append(part.content)
        self._bytes += len(part.content)
        if self._bytes > BUNDLE_BYTES_MAX:
            self.clear()
        elif len(self._parts) >= part.count:
            content = b"".join(self._parts)
            self.clear()
            return content
        return None
