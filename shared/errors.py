"""The errors of yts. The type of an error decides what happens to the work.

::

    YtsError
     ├─ RequestError            an HTTP request cannot be served; answered as application/problem+json
     │   ├─ BadRequest          400  the request cannot be understood
     │   ├─ Unauthenticated     401  no valid session or token
     │   ├─ Forbidden           403  a page of another origin sent it, or the user may not use this site
     │   ├─ NotFound            404  the thing does not exist, or belongs to another user
     │   ├─ MethodNotAllowed    405
     │   ├─ Busy                409  something else has to end first
     │   ├─ TooLarge            413  the body is too long
     │   ├─ TooMany             429  the caller has used up a limit
     │   ├─ Undeployed          500  the database lacks an index, or the function a role; logged as an error
     │   │   └─ ModelMissing    500  the model of search by meaning cannot be had; search by words goes on
     │   ├─ Unavailable         503  a dependency does not answer; worth a retry
     │   └─ Full                507  a local run has no memory for more videos
     └─ DeliveryError           decides what happens to a Pub/Sub message
         ├─ Permanent           a retry would end the same way; settled with a reason
         │   └─ JobFailed       the playlist cannot be indexed; ends the job
         │       ├─ KeyRefused    YouTube refuses the key of this service; says nothing about the playlist
         │       ├─ NotVisible    the playlist does not exist, or is hidden from the one who asks
         │       └─ GrantExpired  Google no longer accepts the user's permission: sign in again
         ├─ Transient           nacked; Pub/Sub delivers the message again with backoff
         │   ├─ Conflict        a document changed between reading and writing
         │   └─ YouTubeError    asking YouTube for captions failed
         │       ├─ AttemptFailed   counts as a failed attempt of this video
         │       ├─ NotReached      no connection came about; an attempt only if others did
         │       ├─ Refused         YouTube refused: because of the address, or (weak) of the video
         │       └─ AddressBlocked  YouTube refuses our address; not an attempt of this video
         ├─ Deferred            acked; the sweep publishes the message again when it is due
         └─ Malformed           the message can never be read; acked and sent to the dead letters

Every message is a sentence for a person. It names no document and no server; ``detail`` does, for the
log. The underlying error is chained as ``__cause__``.
"""

from __future__ import annotations

from datetime import datetime


class YtsError(Exception):
    """Base of all. ``str(error)`` is a sentence for a person; ``detail`` is for the log only."""

    def __init__(self, message: str = "", *, detail: str | None = None) -> None:
        super().__init__(message)
        self.detail = detail


class RequestError(YtsError):
    """An HTTP request that cannot be served."""

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
        #: The value of the Allow header.
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

    def __init__(self, message: str, retry_after: int | None) -> None:
        super().__init__(message)
        #: Seconds. None if the same request never succeeds.
        self.retry_after = retry_after


class Undeployed(RequestError):
    """The deployment lacks something, such as an index that is missing or still being built.

    Trying again does not help before the operator has acted, so it is logged as an error. ``detail`` says
    what is missing.
    """

    status = 500
    title = "Internal server error"


class ModelMissing(Undeployed):
    """The model of search by meaning is missing, or is not the expected one. Nothing else depends on it."""

    def __init__(self, detail: str) -> None:
        super().__init__("Search by meaning is off, because its model is missing.", detail=detail)


class Unavailable(RequestError):
    status = 503
    title = "Temporarily unavailable"


class Full(RequestError):
    """The database of a local run has no room for more. What is there can be searched."""

    status = 507
    title = "The library is full"


class DeliveryError(YtsError):
    """Decides what happens to a Pub/Sub message."""


class Permanent(DeliveryError):
    """A retry would end the same way."""


class JobFailed(Permanent):
    """The whole playlist cannot be indexed."""


class KeyRefused(JobFailed):
    """YouTube refuses the key of this service, whatever is asked. Only the operator can mend that."""


class NotVisible(JobFailed):
    """The playlist does not exist, or belongs to somebody else. The two look the same from outside."""


class GrantExpired(JobFailed):
    """The grant was revoked, has expired, or lacks the scope. Only the user can give it again."""

    def __init__(self) -> None:
        super().__init__("Sign in again with Google, then press Refresh.")


class Transient(DeliveryError):
    """Worth another delivery after a backoff."""


class Conflict(Transient):
    """A document was changed, made or removed between reading and writing. Nothing was written.

    Callers retry (see :func:`shared.gcp.firestore.retry_on_conflict`), or let it propagate so that
    Pub/Sub or the HTTP client retries.
    """


class YouTubeError(Transient):
    """Asking YouTube for captions failed."""

    #: Bytes that the failed attempt received. Set where the permit ends (shared.youtube.egress.routing).
    youtube_bytes = 0


class AttemptFailed(YouTubeError):
    """Counts as a failed attempt of the video."""


class NotReached(YouTubeError):
    """No connection to YouTube came about in time.

    A new process behind a network address translation may have no way out for a minute. So this counts as an
    attempt of the video only if the process has reached YouTube before.
    """


class Refused(YouTubeError):
    """YouTube refused the request. The breaker decides whether it refuses the address or the video.

    ``weak``: what YouTube said may concern the video alone. ``unknown``: nobody knows what it concerns; so it
    counts as an attempt of the video, or a video that is always refused in this way would wait for ever.
    """

    def __init__(self, message: str, *, weak: bool = False, unknown: bool = False) -> None:
        super().__init__(message)
        self.weak = weak or unknown
        self.unknown = unknown


class AddressBlocked(YouTubeError):
    """YouTube refuses our address. The video is not at fault, and no attempt is counted."""


class Deferred(DeliveryError):
    """Not before ``until``: acked now, published again by the sweep."""

    def __init__(self, message: str, until: datetime) -> None:
        super().__init__(message)
        self.until = until


class Malformed(DeliveryError):
    """The message itself is wrong. No delivery of it can ever succeed."""
