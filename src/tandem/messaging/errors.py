"""Every error that a caller of this library can be asked to handle."""


class MessagingError(Exception):
    """Root of this library's errors."""


class AddressError(MessagingError):
    """Nothing can be bound or connected there; names the address and the reason."""


class TooLargeError(MessagingError):
    """A message is longer than `places.BYTES_MAX`, so no peer would read it."""


class TooManyTopicsError(MessagingError):
    """A publisher has numbered as many topics as its rules allow."""


class ClosedError(MessagingError):
    """This end was closed, so nothing more is sent or answered."""


class NoAnswerError(MessagingError):
    """No answer came in time: nobody knows whether the request was carried out."""


class RefusedError(MessagingError):
    """The other side would not, or could not; raised by whoever answers, told to who asked."""


class FullError(RefusedError):
    """As many requests or tasks are open as the rules allow; nothing was taken."""


class TaskFailedError(RefusedError):
    """A task was given up: it was refused, or every worker that had it was lost."""
