"""The errors of the Data API as JSON. The messages are the API's own.

Reasons and statuses: https://developers.google.com/youtube/v3/docs/errors and the table `Errors` of each
method.
"""

from __future__ import annotations

from typing import Any

#: gRPC's names of statuses.
_STATUS_NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
}


class ApiError(Exception):
    """The Data API answers a request with an error; :meth:`body` is its JSON."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        domain: str = "youtube.common",
        location: tuple[str, str] | None = None,
        detail: str | None = None,
        with_status_name: bool = False,
        headers: dict[str, str] | None = None,
    ) -> None:
        """`location`: type and name. `detail`: the reason in an ErrorInfo; it brings the status name, too."""
        super().__init__(message)
        self.code, self.reason, self.domain, self.location = code, reason, domain, location
        self.detail, self.headers = detail, headers or {}
        self.with_status_name = with_status_name or detail is not None

    def body(self) -> dict[str, Any]:
        entry: dict[str, Any] = {"message": str(self), "domain": self.domain, "reason": self.reason}
        if self.location is not None:
            entry["locationType"], entry["location"] = self.location
        error: dict[str, Any] = {"code": self.code, "message": str(self), "errors": [entry]}
        if self.with_status_name and self.code in _STATUS_NAMES:
            error["status"] = _STATUS_NAMES[self.code]
        if self.detail is not None:
            error["details"] = [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": self.detail,
                    "domain": "googleapis.com",
                    "metadata": {"service": "youtube.googleapis.com"},
                }
            ]
        return {"error": error}


def key_invalid() -> ApiError:
    message = "API key not valid. Please pass a valid API key."
    return ApiError(400, "badRequest", message, "global", detail="API_KEY_INVALID")


def key_expired() -> ApiError:
    message = "API key expired. Please renew the API key."
    return ApiError(400, "badRequest", message, "global", detail="API_KEY_INVALID")


def key_referrer_blocked() -> ApiError:
    message = "Requests from referer <empty> are blocked."
    return ApiError(403, "forbidden", message, "global", detail="API_KEY_HTTP_REFERRER_BLOCKED")


def key_ip_blocked() -> ApiError:
    message = "The provided API key has an IP address restriction. The originating IP address violates it."
    return ApiError(403, "forbidden", message, "global", detail="API_KEY_IP_ADDRESS_BLOCKED")


def key_service_blocked() -> ApiError:
    message = "Requests to this API youtube method youtube.api.v3.V3DataPlaylistService.List are blocked."
    return ApiError(403, "forbidden", message, "global", detail="API_KEY_SERVICE_BLOCKED")


def no_credentials() -> ApiError:
    return ApiError(
        403,
        "forbidden",
        "Method doesn't allow unregistered callers (callers without established identity). "
        "Please use API Key or other form of API consumer identity to call this API.",
        "global",
        with_status_name=True,
    )


def invalid_token() -> ApiError:
    return ApiError(
        401,
        "authError",
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or "
        "other valid authentication credential. See "
        "https://developers.google.com/identity/sign-in/web/devconsole-project.",
        "global",
        ("header", "Authorization"),
        with_status_name=True,
        headers={"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"'},
    )


def insufficient_scope() -> ApiError:
    return ApiError(
        403,
        "insufficientPermissions",
        "Request had insufficient authentication scopes.",
        "global",
        detail="ACCESS_TOKEN_SCOPE_INSUFFICIENT",
        headers={
            "WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="insufficient_scope"'
        },
    )


def mine_without_user() -> ApiError:
    message = "The request uses the <code>mine</code> parameter but is not properly authorized."
    return ApiError(401, "youtubeSignupRequired", message, "youtube.header", ("header", "Authorization"))


def quota_exceeded() -> ApiError:
    return ApiError(
        403,
        "quotaExceeded",
        "The request cannot be completed because you have exceeded your "
        '<a href="/youtube/v3/getting-started#quota">quota</a>.',
        "youtube.quota",
    )


def rate_limit_exceeded() -> ApiError:
    message = (
        "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute' of service "
        "'youtube.googleapis.com'."
    )
    return ApiError(429, "rateLimitExceeded", message, "global", detail="RATE_LIMIT_EXCEEDED")


def daily_limit_exceeded() -> ApiError:
    message = (
        "Quota exceeded for quota metric 'Queries' and limit 'Queries per day' of service "
        "'youtube.googleapis.com'."
    )
    return ApiError(429, "rateLimitExceeded", message, "global", detail="RATE_LIMIT_EXCEEDED")


def forbidden() -> ApiError:
    return ApiError(403, "forbidden", "Access forbidden. The request may not be properly authorized.")


def access_not_configured() -> ApiError:
    message = (
        "YouTube Data API v3 has not been used in project 0 before or it is disabled. Enable it by "
        "visiting the Google Cloud console, then retry."
    )
    return ApiError(403, "accessNotConfigured", message, "usageLimits", detail="SERVICE_DISABLED")


def backend_error(code: int) -> ApiError:
    return ApiError(code, "backendError", "Backend Error", "global")


def missing_parameter(name: str) -> ApiError:
    return ApiError(
        400,
        "missingRequiredParameter",
        f"Required parameter: {name}",
        "youtube.parameter",
        ("parameter", name),
    )


def no_filter(expected: str) -> ApiError:
    message = f"No filter selected. Expected one of: {expected}"
    return ApiError(400, "missingRequiredParameter", message, "youtube.parameter", ("parameter", expected))


def incompatible_parameters(names: str) -> ApiError:
    message = f"Incompatible parameters specified in the request: {names}"
    return ApiError(400, "incompatibleParameters", message, "youtube.parameter", ("parameter", names))


def unknown_part(name: str) -> ApiError:
    return ApiError(400, "unknownPart", name, "youtube.part", ("parameter", "part"))


def invalid_filter() -> ApiError:
    message = "The request specifies an invalid filter parameter."
    return ApiError(400, "invalidFilters", message, "youtube.parameter", ("parameter", "parameters."))


def invalid_max_results(found: str) -> ApiError:
    message = f"Invalid value '{found}'. Values must be within the range: [0, 50]"
    return ApiError(
        400, "invalidParameter", message, "global", ("parameter", "maxResults"), with_status_name=True
    )


def invalid_page_token() -> ApiError:
    message = "The request specifies an invalid page token."
    return ApiError(400, "invalidPageToken", message, "youtube.parameter", ("parameter", "pageToken"))


def invalid_fields(found: str) -> ApiError:
    message = f"Invalid field selection {found}"
    return ApiError(
        400, "invalidParameter", message, "global", ("parameter", "fields"), with_status_name=True
    )


def playlist_not_found() -> ApiError:
    message = "The playlist identified with the request's <code>playlistId</code> parameter cannot be found."
    return ApiError(404, "playlistNotFound", message, "youtube.playlistItem", ("parameter", "playlistId"))


def playlist_forbidden() -> ApiError:
    message = "The request is not properly authorized to retrieve the specified playlist."
    return ApiError(
        403, "playlistItemsNotAccessible", message, "youtube.playlistItem", ("parameter", "playlistId")
    )


def watch_later_forbidden() -> ApiError:
    message = 'Items in "watch later" playlists cannot be retrieved through the API.'
    return ApiError(
        403, "watchLaterNotAccessible", message, "youtube.playlistItem", ("parameter", "playlistId")
    )


def watch_history_forbidden() -> ApiError:
    message = "Watch history data cannot be retrieved through the API."
    return ApiError(
        403, "watchHistoryNotAccessible", message, "youtube.playlistItem", ("parameter", "playlistId")
    )


def no_such_method(path: str) -> ApiError:
    return ApiError(
        404,
        "notFound",
        f"The requested URL {path} was not found on this server.",
        "global",
        with_status_name=True,
    )
