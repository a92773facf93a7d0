"""The errors of the pipeline. The TYPE of an error decides what becomes of the work.

::

    YtsError
     ├─ RequestError            the caller's fault; answered as application/problem+json
     │   ├─ BadRequest          400  what was sent cannot be understood
     │   ├─ Unauthenticated     401  no valid session or token
     │   ├─ Forbidden           403  a page of another origin asks in somebody's name
     │   ├─ NotFound            404  it does not exist, or is not the caller's
     │   ├─ MethodNotAllowed    405
     │   ├─ Busy                409  something else has to end first
     │   ├─ TooLarge            413  more bytes than any sensible request has
     │   ├─ TooMany             429  the caller has started more than their share
     │   └─ Unavailable         503  a dependency does not answer; worth trying again
     └─ DeliveryError           the fate of a Pub/Sub message
         ├─ Permanent           settled at once, with a reason a person can read
         │   ├─ NoTranscript    the video has no captions (looked at again later)
         │   ├─ VideoUnavailable  private, deleted, age restricted, … (looked at again later)
         │   └─ JobFailed       the playlist cannot be indexed; ends the job
         │       ├─ NotVisible    it does not exist, or is not shown to who asks
         │       └─ GrantExpired  what the user allowed us at Google has ended: sign in again
         ├─ Transient           given back to Pub/Sub, delivered again with backoff
         │   └─ Blocked         YouTube refuses our address, not the video: no attempt of the video's
         ├─ Deferred            acknowledged, and published again by the sweep when it is due
         └─ Malformed           nobody can ever read it: to the dead letters, acknowledged

Every message is a plain sentence for the person who started the job; what went wrong underneath
is chained as ``__cause__`` and logged.
"""

from __future__ import annotations

from datetime import datetime


class YtsError(Exception):
    """Base of all; ``str(error)`` is a sentence for a person.

    ``detail`` is for the log only. It may name documents, which may be another user's.
    """

    def __init__(self, message: str = "", *, detail: str | None = None) -> None:
        super().__init__(message)
        self.detail = detail


class RequestError(YtsError):
    """An HTTP request that cannot be served as it is."""

    status = 400
    title = "Bad request"


class BadRequest(RequestError):
    pass


class Unauthenticated(RequestError):
    status = 401
    title = "Sign in first"


class Forbidden(RequestError):
    status = 403
    title = "Forbidden"


class NotFound(RequestError):
    status = 404
    title = "Not found"


class MethodNotAllowed(RequestError):
    status = 405
    title = "Method not allowed"

    def __init__(self, message: str, allowed: str) -> None:
        super().__init__(message)
        #: As the Allow header says it.
        self.allowed = allowed


class Busy(RequestError):
    status = 409
    title = "Conflict"


class TooLarge(RequestError):
    status = 413
    title = "Content too large"


class TooMany(RequestError):
    status = 429
    title = "Too many requests"

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        #: Seconds.
        self.retry_after = retry_after


class Unavailable(RequestError):
    status = 503
    title = "Temporarily unavailable"


class DeliveryError(YtsError):
    """Decides what becomes of a Pub/Sub message."""


class Permanent(DeliveryError):
    """Asking again would give the same answer."""


class NoTranscript(Permanent):
    """The video exists, but has no captions now."""


class VideoUnavailable(Permanent):
    """The video cannot be watched by us now."""


class JobFailed(Permanent):
    """The whole playlist cannot be indexed."""


class NotVisible(JobFailed):
    """The same whether there is no such playlist or it is somebody else's."""


class GrantExpired(JobFailed):
    """Revoked, expired, or without the scope; only the person can give it again."""

    def __init__(self) -> None:
        super().__init__("Sign in again with Google, then press Refresh.")


class Transient(DeliveryError):
    """Worth another delivery after a backoff."""


class Blocked(Transient):
    """YouTube refuses requests from this address.

    ``weak``: what it said may also be of the video alone. ``asked``: False when nothing was sent, because
    another worker has met the block meanwhile.
    """

    def __init__(self, reason: str, *, weak: bool = False, asked: bool = True) -> None:
        super().__init__(reason)
        self.weak = weak
        self.asked = asked


class Deferred(DeliveryError):
    """Not before ``until``: acknowledged now, published again by the sweep."""

    def __init__(self, reason: str, until: datetime) -> None:
        super().__init__(reason)
        self.until = until


class Malformed(DeliveryError):
    """The message itself is wrong: no delivery of it can ever succeed."""
