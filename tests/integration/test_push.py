"""`./emulators.sh up --push`: the functions as they are deployed, and the emulator pushes to them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from infra.deployment import cloud_name, deployed, variables
from infra.local.supervisor.environment import as_deployed
from infra.local.supervisor.ports import free_ports
from infra.pipeline import Function, load_pipeline
from shared.config import Config
from tests.integration.staged_functions import ANSWER, EndedEarly, running
from tests.stack import Stack

PIPELINE = load_pipeline(Config.from_env({}))
DEPLOYED, WITH_DOMAIN = deployed(PIPELINE), deployed(PIPELINE, domain=True)
#: Talks of the sample library. The last one has no captions.
TALKS = ["hNi6jQj9BOA", "GEDJxjCs9ww", "tXimQ_tJ9UU", "rKePTJ80VyQ"]
#: What a function has from Cloud Run, or from the local run in its place.
PLATFORM = {"PATH", "HOME", "LANG", "TMPDIR", "K_SERVICE", "YTS_LOCAL_RUN"}
EMULATORS = {"PUBSUB_EMULATOR_HOST", "FIRESTORE_EMULATOR_HOST"}
FAKES = ("YOUTUBE_API_ENDPOINT", "YOUTUBE_BASE_URL", "YOUTUBE_EMBED_BASE_URL", "GOOGLE_OAUTH_")
OURS = {"Sec-Fetch-Site": "same-origin"}
LIMIT = 60.0
#: Where nobody listens.
NOWHERE = "http://127.0.0.1:9"


class Person(requests.Session):
    """A browser that has signed in at the page, as nobody gets in otherwise."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        at_google = self._follow(f"{url}/api/login?next=/")
        back = self._follow(f"{at_google}&login_hint=demo")
        assert back.startswith(f"{url}/api/login/callback")
        assert self._follow(back) == "/"

    def _follow(self, address: str) -> str:
        answer = self.get(address, allow_redirects=False, timeout=ANSWER)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def read(self, path: str) -> dict[str, Any]:
        answer = self.get(self.url + path, timeout=ANSWER)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def index(self, playlist: str) -> str:
        """Starts a job. Its id."""
        body = {"playlist": playlist}
        answer = self.post(f"{self.url}/api/index", json=body, headers=OURS, timeout=ANSWER)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["job_id"])

    def finish(self, job_id: str) -> dict[str, Any]:
        """The job when it is over."""
        last: dict[str, Any] = {}

        def over() -> bool:
            last.update(self.read(f"/api/jobs/{job_id}"))
            return last["finished_at"] is not None

        Stack.wait_for(over, LIMIT, lambda: f"the job ends; it is {last}")
        return last


@pytest.fixture(scope="module")
def cloud() -> Iterator[Stack]:
    # The run sets FAILPOINTS_DIR. A function that had it would not run as in the cloud.
    stack = Stack()
    stack.start("--push")
    yield stack
    stack.stop()


@pytest.fixture(scope="module")
def person(cloud: Stack) -> Iterator[Person]:
    with Person(f"http://localhost:{cloud.port}") as person:
        yield person


def _subscription(stack: Stack, name: str) -> str:
    return f"http://{stack.pubsub}/v1/projects/yts-local/subscriptions/{name}"


def _new_playlist(stack: Stack, videos: list[str]) -> str:
    playlist = f"PLpushed-{secrets.token_hex(4)}"
    stack.fake_youtube.define(playlists=[{"id": playlist, "title": "Pushed", "videos": videos}])
    return playlist


# -- from a push to the next --------------------------------------------------------------------------


def test_a_playlist_is_pushed_from_function_to_function_until_it_is_found(
    cloud: Stack, person: Person
) -> None:
    job = person.finish(person.index(_new_playlist(cloud, TALKS)))
    assert (job["state"], job["total"]) == ("done", 4)
    assert job["counts"] == {"pending": 0, "indexed": 3, "no_transcript": 1, "unavailable": 0, "failed": 0}
    found = person.read("/api/search?q=%22a%20fire%20that%20happens%20to%20be%20wet%22")
    assert [hit["video_id"] for hit in found["hits"]] == ["hNi6jQj9BOA"]
    # Nothing has pulled: these two run nowhere.
    assert cloud.components().keys().isdisjoint({"delivery", "gateway"})


def test_a_message_that_is_answered_503_is_pushed_again(cloud: Stack, person: Person) -> None:
    # One message: of several at the same time, the emulator forgets some (docs/decisions/delivery.md).
    playlist = _new_playlist(cloud, TALKS[:1])
    cloud.fake_youtube.fault("backend_error", endpoints=["data_api"], videos=[playlist], status=503, total=2)
    nacked = cloud.log("planner").count('"nacked"')
    assert person.finish(person.index(playlist))["state"] == "done"
    assert cloud.log("planner").count('"nacked"') == nacked + 2


@pytest.mark.parametrize("topic", ["playlists", "videos", "transcripts"])
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"what is this", "what is this"),
        (b"{}", "job_id"),
        (b'["a", "list"]', 'a", "list'),
        (b'{"job_id": "a/b", "video_id": "../x", "playlist_id": "."}', "a/b"),
    ],
)
def test_a_message_that_nobody_can_read_is_recorded_with_its_reason(
    cloud: Stack, topic: str, data: bytes, reason: str
) -> None:
    message_id = cloud.publish(topic, data)
    documents = f"http://{cloud.firestore}/v1/projects/yts-local/databases/(default)/documents/rejections"

    def recorded() -> list[dict[str, Any]]:
        answer = requests.get(documents, params={"pageSize": 300}, timeout=ANSWER).json()
        every = answer.get("documents", [])
        return [each for each in every if each["name"].split("/")[-1].startswith(f"{message_id}-")]

    (found,) = Stack.wait_for(recorded, LIMIT, "it is recorded")
    fields = found["fields"]
    (fed,) = (each.name for each in PIPELINE.subscriptions if each.topic == topic)
    assert fields["source"]["stringValue"] == fed
    assert fields["data"]["stringValue"] == data.decode()
    assert reason in fields["reason"]["stringValue"]


@pytest.mark.parametrize("command", [["index", "PLgen-3-a"], ["search", "the"], ["token"]])
def test_a_command_that_needs_a_token_says_where_to_sign_in(cloud: Stack, command: list[str]) -> None:
    answer = cloud.command(*command, check=False)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert f"people sign in at http://localhost:{cloud.port}." in answer.stderr


def test_up_says_that_it_runs_already(cloud: Stack) -> None:
    assert f"Already running: http://localhost:{cloud.port} " in cloud.start("--push")


# -- the subscriptions --------------------------------------------------------------------------------


@pytest.mark.parametrize("subscription", DEPLOYED.subscriptions, ids=lambda each: each.name)
def test_the_emulator_has_the_subscriptions_of_the_cloud(cloud: Stack, subscription: Any) -> None:
    name = cloud_name(subscription.name)
    made = requests.get(_subscription(cloud, name), timeout=ANSWER).json()
    port = cloud.components()[subscription.name]["port"]
    path = f"projects/yts-local/topics/{subscription.topic}"
    assert made["pushConfig"] == {"pushEndpoint": f"http://127.0.0.1:{port}/{path}"}
    assert made["topic"] == path
    assert made["ackDeadlineSeconds"] == subscription.ack_deadline_seconds
    assert made["retryPolicy"] == {
        "minimumBackoff": f"{subscription.minimum_backoff_seconds}s",
        "maximumBackoff": f"{subscription.maximum_backoff_seconds}s",
    }
    attempts = made.get("deadLetterPolicy", {}).get("maxDeliveryAttempts")
    assert attempts == (None if name == "dead-letters" else 100)


@pytest.fixture
def impatient_planner(cloud: Stack) -> Iterator[None]:
    """The planner's subscription, with the fewest attempts that Pub/Sub admits. A hundred take an hour."""
    address = _subscription(cloud, "planner")
    planned = requests.get(address, timeout=ANSWER).json()
    dead, retry = planned["deadLetterPolicy"], planned["retryPolicy"]
    changed = {
        "deadLetterPolicy": dead | {"maxDeliveryAttempts": 5},
        "retryPolicy": retry | {"maximumBackoff": "1s"},
    }

    def change(subscription: dict[str, Any]) -> None:
        body = {"subscription": subscription, "updateMask": "deadLetterPolicy,retryPolicy"}
        requests.patch(address, json=body, timeout=ANSWER).raise_for_status()

    change(planned | changed)
    yield
    change(planned)


@pytest.mark.usefixtures("impatient_planner")
def test_a_message_that_is_pushed_in_vain_becomes_a_dead_letter_that_ends_the_job(
    cloud: Stack, person: Person
) -> None:
    playlist = _new_playlist(cloud, TALKS[:1])
    cloud.fake_youtube.fault("backend_error", endpoints=["data_api"], videos=[playlist], status=503)
    job = person.finish(person.index(playlist))
    # The attempts are in the attributes that Pub/Sub gives to a dead letter.
    assert (job["state"], job["error"]) == ("failed", "YouTube is overloaded. Given up after 5 attempts.")


# -- the environment ----------------------------------------------------------------------------------


@pytest.mark.parametrize("function", DEPLOYED.functions, ids=lambda each: each.name)
def test_a_function_runs_staged_and_has_the_planned_variables_and_nothing_else(
    cloud: Stack, function: Function
) -> None:
    component = cloud.components()[function.name]
    assert component["state"] == "running"
    process = psutil.Process(component["pid"])
    assert Path(process.cwd()) == cloud.state.run / "deployed" / function.name
    set_ = {name for name, value in process.environ().items() if name and value}
    planned = variables(function, DEPLOYED)
    fakes = {name for name in set_ if name.startswith(FAKES)}
    assert set_ <= planned | PLATFORM | EMULATORS | fakes
    # These are read by every function, or its start would have failed.
    assert set_ >= {"GOOGLE_CLOUD_PROJECT", "THREADS", "K_SERVICE", *PIPELINE.environment}
    assert process.environ()["THREADS"] == str(function.cloud.concurrency if function.cloud else None)
    assert process.environ()["K_SERVICE"] == cloud_name(function.name)
    asks_youtube = function.name in ("planner", "index", "refresh", "web")
    assert ("YOUTUBE_API_KEY" in set_) == asks_youtube


def _planned(function: Function) -> dict[str, str]:
    """The environment of a function in a real project, whose servers cannot be reached."""
    values = {
        **PIPELINE.environment,
        "GOOGLE_CLOUD_PROJECT": "a-real-project",
        "THREADS": "4",
        "PUBLIC_URL": "https://yts.test",
        "ELASTICSEARCH_URL": NOWHERE,
        "GOOGLE_OAUTH_CLIENT_ID": "123-abc.apps.googleusercontent.com",
        "GOOGLE_OAUTH_CLIENT_SECRET": "GOCSPX-of-a-test",
        "GRANT_ENCRYPTION_KEYS": "A" * 43 + "=",
        "YOUTUBE_API_KEY": "AIza-of-a-test",
        "ALLOWED_USERS": "*",
    }
    return as_deployed(function, WITH_DOMAIN, values) | {"K_SERVICE": cloud_name(function.name)}


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[str, str], Future[str]]]:
    """What became of functions, by their name and the variable that they lack, or "".

    It is the answer to a request if the function has routes, and otherwise "". For a function that refuses
    to start, it is its log.
    """
    lacking = {"planner": "YOUTUBE_API_KEY", "fetcher": "ELASTICSEARCH_URL", "account": "PUBLIC_URL"}
    lacking |= {"dead_letters": "GOOGLE_CLOUD_PROJECT"}
    asked = [(each, "") for each in WITH_DOMAIN.functions]
    asked += [(each, lacking[each.name]) for each in WITH_DOMAIN.functions if each.name in lacking]
    root = tmp_path_factory.mktemp("planned")
    ports = free_ports(len(asked))

    def start(function: Function, lacks: str, port: int) -> str:
        environment = _planned(function)
        if lacks:
            del environment[lacks]
        directory = root / f"{function.name}{lacks}" / "staged"
        sockets = {"XDG_RUNTIME_DIR": str(root)}
        try:
            with running(function.name, directory, port, environment | sockets):
                if not function.routes:
                    return ""
                path = function.routes[0]
                return requests.get(f"http://127.0.0.1:{port}{path}", timeout=ANSWER).text
        except EndedEarly as error:
            return str(error)

    with ThreadPoolExecutor(3) as pool:
        yield {
            (function.name, lacks): pool.submit(start, function, lacks, port)
            for (function, lacks), port in zip(asked, ports, strict=True)
        }


@pytest.mark.parametrize("function", WITH_DOMAIN.functions, ids=lambda each: each.name)
def test_each_function_starts_with_the_planned_variables_alone(
    function: Function, started: dict[tuple[str, str], Future[str]]
) -> None:
    answer = started[function.name, ""].result()
    if not function.routes:
        assert answer == ""
    elif function.name == "health":
        assert '"dependencies"' in answer
    elif function.name in ("index", "mcp"):
        assert "GET is not possible here; POST is." in answer
    else:
        # Whoever has no session is told where to sign in.
        assert '"sign_in":"/api/login"' in answer.replace(" ", "")


@pytest.mark.parametrize(
    ("name", "lacks"),
    [
        ("planner", "YOUTUBE_API_KEY"),
        ("fetcher", "ELASTICSEARCH_URL"),
        ("account", "PUBLIC_URL"),
        ("dead_letters", "GOOGLE_CLOUD_PROJECT"),
    ],
)
def test_a_function_that_lacks_a_variable_refuses_to_start_and_names_it(
    name: str, lacks: str, started: dict[tuple[str, str], Future[str]]
) -> None:
    log = started[name, lacks].result()
    assert f"{lacks}: expected" in log
    assert "found nothing" in log
