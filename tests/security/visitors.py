"""Two people with browsers. One of them has a private playlist that the other must never see.

There is a read-only link to another playlist of that person, and a feed of a saved search.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from tests.documented import checked
from tests.stack import Stack

_SECONDS = 30
#: A header of requests that come from a page of this site.
OURS = {"Sec-Fetch-Site": "same-origin"}

PLAYLIST, TITLE = "PLowned-in-private", "Quiet cellar <b>notes</b>"
#: A public playlist of the owner, to which there is a read-only link, and its only video.
LENT, LENT_VIDEO = "PLlent-to-guests", "ownedLent02"
#: One video in the private playlist alone; one that everybody may name.
ALONE, SHARED = "ownedAlone0", "ownedShare1"
#: A word of the transcript of ALONE and SHARED, and of no other video.
SAID = "zimtquarz"
#: Texts as a hostile uploader would write them.
HOSTILE_TITLE = "\"><img src=x onerror=alert(1)> =HYPERLINK('x') \u202egpj.exe\u202c \x07javascript:alert(1)"
HOSTILE_LINE = "<script>alert('x')</script> & <b onmouseover=alert(2)> javascript:alert(3) \u2066turned\u2069"
LINES = [
    [0.0, 3.0, f"the {SAID} lies in the cellar"],
    [3.0, 3.0, HOSTILE_LINE],
    [6.0, 3.0, "=1+1 and 1 < 2 & 3"],
]


LENT_TRACK = {"language": "en", "kind": "human", "lines": [[0.0, 3.0, "a ladder for everybody"]]}


class Visitor:
    """A browser with cookies of its own."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._session = requests.Session()
        self.seen: list[str] = []

    def close(self) -> None:
        self._session.close()

    @property
    def cookie(self) -> str:
        """The value of the cookie, which a thief would copy. Empty without a cookie."""
        return str(self._session.cookies.get("__session", ""))

    def forget(self) -> None:
        self._session.cookies.clear()

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """Sends a request as a page of this site does. The answer is recorded in `seen`."""
        headers = {**OURS, **options.pop("headers", {})}
        answer = self._session.request(
            method,
            self._stack.url + path,
            headers=headers,
            timeout=_SECONDS,
            allow_redirects=False,
            **options,
        )
        checked(answer)
        self.seen.append(f"{answer.headers} {answer.text}")
        return answer

    def get(self, path: str, **options: Any) -> Any:
        """The JSON of an answer of 200."""
        answer = self.ask("GET", path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def sign_in(self, person: str) -> str:
        """Signs in with Google. The authorization code that Google gave."""
        begun = self.ask("GET", "/api/login")
        agreed = requests.get(
            f"{begun.headers['Location']}&login_hint={person}", timeout=_SECONDS, allow_redirects=False
        )
        back = urlsplit(agreed.headers["Location"])
        ended = self.ask("GET", f"{back.path}?{back.query}")
        assert (ended.status_code, ended.headers["Location"]) == (302, "/"), ended.headers
        return parse_qs(back.query)["code"][0]


@dataclass(slots=True)
class World:
    """``owner`` has indexed a private playlist. ``stranger`` is signed in, too. ``nobody`` is not."""

    stack: Stack
    owner: Visitor
    stranger: Visitor
    nobody: Visitor
    job_id: str = ""
    token: str = ""
    token_id: str = ""
    search_id: str = ""
    clip_id: str = ""
    feed: str = ""
    link: str = ""
    link_id: str = ""
    #: A collection of the owner's.
    collection_id: str = ""
    #: Texts that must not appear in a log, a message, an answer or the store.
    secrets: list[str] = field(default_factory=list)

    def reveals(self, text: str) -> list[str]:
        """The parts of a text that come from the owner's private playlist or account."""
        hints = (
            self.job_id,
            self.token_id,
            self.collection_id,
            ALONE,
            "Quiet cellar",
            "lies in the cellar",
            "other@example.com",
        )
        return [hint for hint in hints if hint and hint in text]


def make_world(stack: Stack) -> World:
    world = World(stack, Visitor(stack), Visitor(stack), Visitor(stack))
    track = {"language": "en", "kind": "human", "lines": LINES}
    stack.fake_youtube.define(
        videos=[
            {"id": ALONE, "title": HOSTILE_TITLE, "description": HOSTILE_LINE, "tracks": [track]},
            {"id": SHARED, "title": "A shared thing", "tracks": [track]},
            {"id": LENT_VIDEO, "title": "A lent thing", "tracks": [LENT_TRACK]},
        ],
        playlists=[
            {
                "id": PLAYLIST,
                "title": TITLE,
                "videos": [ALONE, SHARED],
                "owner": "other",
                "privacy": "private",
            },
            {"id": LENT, "title": "Lent", "videos": [LENT_VIDEO]},
        ],
    )
    world.secrets += [world.owner.sign_in("other"), world.stranger.sign_in("demo")]
    world.job_id = _indexed(world, PLAYLIST, 2)
    _indexed(world, LENT, 1)
    _embedded(world, 3)
    made_token = world.owner.ask("POST", "/api/tokens", json={"name": "laptop"}).json()
    world.token, world.token_id = made_token["token"], made_token["token_id"]
    made = world.owner.ask("POST", "/api/collections", json={"title": "Quiet cellar talks"})
    world.collection_id = made.json()["playlist_id"]
    world.search_id = world.owner.ask("POST", "/api/searches", json={"query": f"q={SAID}"}).json()["id"]
    clip = {"video_id": ALONE, "from_line": 0, "to_line": 1, "note": "Quiet cellar"}
    world.clip_id = world.owner.ask("POST", "/api/clips", json=clip).json()["id"]
    feed = world.owner.ask("POST", f"/api/searches/{world.search_id}/feed").json()
    world.feed = feed["url"].rpartition("/")[2].removesuffix(".atom")
    link = world.owner.ask("POST", "/api/links", json={"playlist_id": LENT}).json()
    world.link_id, world.link = link["id"], link["url"].partition("#link=")[2]
    assert len(world.feed) > 40 < len(world.link)
    world.secrets += [world.owner.cookie, world.stranger.cookie, world.token, world.feed, world.link]
    return world


def _indexed(world: World, playlist: str, videos: int) -> str:
    """The id of the job that has indexed a playlist of the owner."""
    answer = world.owner.ask("POST", "/api/index", json={"playlist": playlist})
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = {}

    def done() -> bool:
        job.update(world.owner.get(answer.json()["status_url"]))
        return job["state"] in ("done", "failed", "cancelled")

    world.stack.wait_for(done, 60, lambda: f"{playlist} is indexed: {job}")
    assert (job["state"], job["counts"]["indexed"]) == ("done", videos), json.dumps(job)
    return str(job["job_id"])


def _embedded(world: World, videos: int) -> None:
    """Waits until the videos of the owner are found by meaning."""
    found: dict[str, Any] = {}

    def done() -> bool:
        found.update(world.owner.get("/api/search?q=a+ladder&by=meaning"))
        return bool(found["meaning"]["videos"] == videos)

    world.stack.wait_for(done, 300, lambda: f"{videos} videos are found by meaning: {found}")
