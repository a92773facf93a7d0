"""HTTP functions: routes, callers, JSON, and errors as application/problem+json.

Routes are closed by default: a handler is called for an authenticated caller, unless its route says
``public=True``. To guests, who come with a read-only link, a route is closed unless it says ``guests=True``.
A caller with a cookie who changes something must come from a page of this site (see shared.web.origin).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack

from flask import Flask, Request, Response
from flask.ctx import RequestContext
from flask.globals import request_ctx
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import RequestEntityTooLarge

from shared import logs
from shared.accounts.auth import ANONYMOUS, Auth, Caller
from shared.config import Config
from shared.errors import Forbidden, NotFound, RequestError, Unauthenticated
from shared.gcp.failpoints import Failpoints
from shared.gcp.firestore import Firestore
from shared.library.links import Link
from shared.web.buckets import Buckets
from shared.web.cookies import read_cookie
from shared.web.declaration import Access, Declaration, declare
from shared.web.origin import Site
from shared.web.problems import problem, request_error

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

#: Bytes of a request's body, and of one that holds thousands of videos or lines. The gateway takes no more.
MAXIMUM_BODY, MAXIMUM_LIST = 65_536, 900_000
#: A handler gets the request, the caller, the variables of the path, and what it declares: see
#: :mod:`shared.web.declaration`.
H = TypeVar("H", bound=Callable[..., Any])


class Declared(TypedDict, total=False):
    """What a route declares beside the signature of its handler.

    ``operators``: for all other callers there is nothing at this path. ``guests``: they may ask, too; the
    handler has to keep to the source of ``caller.link``. ``programs``: a cookie is not enough. ``status``: of
    the answer, or all that it may have. ``files``: media types. ``raises``: errors beyond those that the
    signature implies.
    """

    public: bool
    operators: bool
    guests: bool
    programs: bool
    status: int | Sequence[int]
    files: Sequence[str]
    raises: Sequence[type[RequestError]]
    maximum_body: int


#: The requests of all guests with one link: at once, and in a second. A class of thirty has enough.
_OF_A_LINK = (300, 10.0)
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}


class _Json(DefaultJSONProvider):
    ensure_ascii = False
    sort_keys = False
    compact = True


class Routes:
    """The routes of one function. They are a Flask app to which the function hands its requests.

    ``declarations``: of every route.
    """

    def __init__(
        self, config: Config, db: Firestore, *, auth: Auth | None = None, site: Site | None = None
    ) -> None:
        self._auth = auth or Auth(config, db)
        self._site = site or Site(config)
        self._sign_in = config.sign_in
        self._project = config.google_cloud_project
        self._failpoints = Failpoints.from_config(config)
        self._guests = Buckets(*_OF_A_LINK)
        self.declarations: list[Declaration] = []
        self._app = Flask(__name__, static_folder=None)
        self._app.json = _Json(self._app)
        self._app.config.update(MAX_CONTENT_LENGTH=MAXIMUM_BODY, PROVIDE_AUTOMATIC_OPTIONS=False)
        # A path with one slash too many, at its end or within, is not redirected.
        self._app.url_map.strict_slashes = False
        self._app.url_map.merge_slashes = False
        self._app.register_error_handler(Exception, self._answer_error)
        self._app.after_request(_add_headers)

    def get(self, rule: str, **declared: Unpack[Declared]) -> Callable[[H], H]:
        """Decorates the handler of GET (and HEAD) requests whose path matches ``rule``."""
        return self._route("GET", rule, declared)

    def post(self, rule: str, **declared: Unpack[Declared]) -> Callable[[H], H]:
        return self._route("POST", rule, declared)

    def patch(self, rule: str, **declared: Unpack[Declared]) -> Callable[[H], H]:
        return self._route("PATCH", rule, declared)

    def delete(self, rule: str, **declared: Unpack[Declared]) -> Callable[[H], H]:
        return self._route("DELETE", rule, {"status": 204, **declared})

    def include(self, other: Routes) -> None:
        """Takes over the routes of another function. Each of them answers as it does there."""
        for rule in other._app.url_map.iter_rules():
            view = other._app.view_functions[rule.endpoint]
            self._app.add_url_rule(rule.rule, rule.endpoint, view, methods=rule.methods)
        self.declarations += other.declarations

    def answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The routes as a WSGI application."""
        return self.dispatch(Request(environ))(environ, start_response)

    def dispatch(self, request: Request) -> Response:
        """Answers a request. Errors are answered, too, and defects are logged."""
        # The framework reads the body once more after the answer. So both apps share the request object.
        context = RequestContext(self._app, request.environ, request)
        trace = logs.trace_of(request.headers, self._project)
        with logs.context(method=request.method, path=request.path, **trace), context:
            return self._app.full_dispatch_request()

    def _route(self, method: str, rule: str, declared: Declared) -> Callable[[H], H]:
        access = Access(
            public=declared.get("public", False),
            operators=declared.get("operators", False),
            guests=declared.get("guests", False),
            programs=declared.get("programs", False),
        )
        maximum_body = declared.get("maximum_body", MAXIMUM_BODY)

        def register(handler: H) -> H:
            declaration = declare(
                method,
                rule,
                handler,
                access,
                status=declared.get("status", 200),
                files=declared.get("files", ()),
                raises=declared.get("raises", ()),
            )

            def view(**variables: str) -> Response:
                request = request_ctx.request
                caller = ANONYMOUS if access.public else self._authenticate(request)
                if access.programs and caller.session is not None:
                    raise Unauthenticated(
                        "Send an API token as `Authorization: Bearer TOKEN`. Make one in the settings."
                    )
                if caller.link is not None:
                    self._admit_guest(caller.link, guests=access.guests)
                if access.operators and not caller.manages:
                    raise NotFound(f"There is nothing at {request.path[:200]}.")
                if maximum_body != MAXIMUM_BODY:
                    request.max_content_length = maximum_body
                with logs.context(user=caller.user_id or None):
                    answer = handler(request, caller, **declaration.read(request), **variables)
                self._failpoints.answer("answer")
                # Here, so that a defect in it is answered as all others are.
                return self._app.make_response(declaration.answered(answer))

            self._app.add_url_rule(rule, f"{method} {rule}", view, methods=[method])
            self.declarations.append(declaration)
            return handler

        return register

    def _authenticate(self, request: Request) -> Caller:
        authorization = request.headers.get("Authorization")
        caller = self._auth.authenticate(authorization, read_cookie(request).session)
        if caller.session is not None:
            self._site.require_same_origin(request)
        return caller

    def _admit_guest(self, link: Link, *, guests: bool) -> None:
        if not guests:
            raise Forbidden(
                "With this link you can search and watch one source. Sign in for everything else."
            )
        self._guests.take(link.link_id)

    def _answer_error(self, error: Exception) -> Response:
        request = request_ctx.request
        if isinstance(error, RequestEntityTooLarge):
            # The framework must not try to read a body that is too long.
            request.stream = BytesIO()
        return problem(request_error(error, request), sign_in=self._sign_in)


def _add_headers(answer: Response) -> Response:
    for name, value in _HEADERS.items():
        answer.headers.setdefault(name, value)
    return answer
