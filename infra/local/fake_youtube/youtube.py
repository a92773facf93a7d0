"""YouTube and Google sign-in without faults: all the state, and the correct answer to each request."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl

from infra.local.fake_youtube.captions import partial_answers, player, watch_page
from infra.local.fake_youtube.captions.player import NO_CHANGES, PlayerChanges
from infra.local.fake_youtube.captions.timedtext import TimedText
from infra.local.fake_youtube.data_api.api import DataApi
from infra.local.fake_youtube.data_api.errors import ApiError
from infra.local.fake_youtube.faults.rules import Faults
from infra.local.fake_youtube.field_mask import Mask
from infra.local.fake_youtube.incoming import IncomingRequest
from infra.local.fake_youtube.library.catalog import Catalog
from infra.local.fake_youtube.library.samples import TALKS, read_library
from infra.local.fake_youtube.oauth.authorization import AuthorizationServer
from infra.local.fake_youtube.pages import embed, thumbnails
from infra.local.fake_youtube.replies import JSON, Reply, html_reply, json_reply
from infra.local.fake_youtube.traffic.addresses import Addresses, ProxyUsers
from infra.local.fake_youtube.traffic.latency import Latency
from infra.local.fake_youtube.traffic.stats import Stats

_NOT_FOUND = "<title>404</title><p>That’s an error. The fake YouTube has no such page.</p>"


class FakeYouTube:
    def __init__(self, library: Path = TALKS) -> None:
        """`library`: the directory of the sample files.

        Raises:
            SampleError: a sample file is malformed.
        """
        self.catalog = Catalog(read_library(library))
        self.stats, self.latency, self.faults = Stats(), Latency(), Faults()
        self.addresses, self.proxy_users = Addresses(), ProxyUsers()
        self.oauth = AuthorizationServer()
        self.data_api = DataApi(self.catalog, self.oauth.grants)
        self.timedtext = TimedText()
        #: The key that the player accepts.
        self.innertube_key = player.INNERTUBE_KEY
        #: One of :data:`.partial_answers.MODES`.
        self.partial_answers = partial_answers.MODES[0]

    def resets(self) -> dict[str, Callable[[], None]]:
        """By name: functions that each restore a part of the state at the start."""
        return {
            "stats": self._reset_stats,
            "latency": self.latency.reset,
            "faults": self.faults.reset,
            "addresses": self.addresses.reset,
            "playlists": self._reset_playlists,
            "settings": self._reset_settings,
            "oauth": self.oauth.state.reset,
        }

    def _reset_stats(self) -> None:
        self.stats.reset()
        self.data_api.quota.used = 0

    def _reset_playlists(self) -> None:
        self.catalog.reset()
        self.timedtext.clear()

    def _reset_settings(self) -> None:
        self.innertube_key, self.partial_answers = player.INNERTUBE_KEY, partial_answers.MODES[0]
        self.data_api.quota.limit = self.data_api.quota.keys = None
        self.proxy_users.passwords = None

    def answer(self, request: IncomingRequest, changes: PlayerChanges = NO_CHANGES) -> Reply:
        """Of any endpoint but the control API. `changes`: to the player's answer."""
        video_id, query = request.target, request.http.query
        match request.endpoint:
            case "timedtext":
                return self.timedtext.answer(self.catalog.video(video_id), query, request.gzip)
            case "player":
                return self._answer_player(request, changes)
            case "watch":
                video, time = self.catalog.video(video_id), query.get("t", "")
                return watch_page.page(video_id, video, time, self.innertube_key, request.gzip)
            case "data_api":
                return self._answer_data_api(request)
            case "oauth":
                return self._answer_oauth(request)
        return self._answer_page(request.http.path)

    def _answer_player(self, request: IncomingRequest, changes: PlayerChanges) -> Reply:
        query = request.http.query
        if query.get("key") != self.innertube_key:
            return player.wrong_key()
        video = self.catalog.video(request.target)

        def make(mask: Mask | None) -> Reply:
            return player.answer(request.target, video, request.gzip, changes, mask)

        return partial_answers.answer(
            query.get("$fields", ""), self.partial_answers, make, player.bad_request
        )

    def _answer_data_api(self, request: IncomingRequest) -> Reply:
        query: dict[str, list[str]] = {}
        for name, value in request.http.query.items():
            query.setdefault(name, []).append(value)
        try:
            answer = self.data_api.answer(request.http.path, query, request.authorization, request.origin)
        except ApiError as error:
            return json_reply(error.body(), request.gzip, error.code, error.headers)
        if request.http.headers.get("If-None-Match") == answer.get("etag", ""):
            # It costs a unit all the same.
            return Reply(304, JSON, b"")
        return json_reply(answer, request.gzip)

    def _answer_oauth(self, request: IncomingRequest) -> Reply:
        http = request.http
        form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        return self.oauth.answer(
            http.method, http.path, http.query, form, request.authorization, request.origin
        )

    def _answer_page(self, path: str) -> Reply:
        match path.split("/"):
            case ["", "vi", identifier, name] if name.endswith((".jpg", ".webp")):
                return thumbnails.draw(identifier, self.catalog.video(identifier))
            case ["", "embed", identifier] if identifier:
                return embed.page(identifier, self.catalog.video(identifier))
            case ["", "fake_youtube", name] if (file := embed.static_file(name)) is not None:
                return file
            case ["", "generate_204"]:
                return Reply(204, "text/html", b"")
        return html_reply(_NOT_FOUND, 404)
