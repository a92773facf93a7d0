"""The environment: documented defaults, and an error that names each wrong value."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from infra.pipeline import Function, load_pipeline
from infra.staging import ROOT
from shared import config
from shared.config import Config, ConfigError
from tests.unit.functions import client, endpoints


def test_defaults_are_the_documented_ones() -> None:
    empty = Config.from_env({})
    assert empty.port == 8080
    assert empty.local_state_dir == Path(".local")
    assert empty.elasticsearch_index_prefix == "yts"
    assert empty.google_cloud_project == "yts-local"
    assert empty.youtube_base_url == "https://www.youtube.com"
    assert empty.youtube_embed_base_url == "https://www.youtube-nocookie.com"
    assert empty.youtube_partial_answers == "on"
    assert empty.fetch_concurrency == 50
    assert empty.proxy_mode == "when-blocked"
    assert empty.transcript_languages == ()
    assert (empty.local, empty.owner) == (False, None)


def test_blank_values_count_as_missing() -> None:
    names = [field.name.upper() for field in fields(Config)]
    assert Config.from_env(dict.fromkeys(names, "")) == Config.from_env({})
    assert Config.from_env(dict.fromkeys(names, "  ")) == Config.from_env({})


KEY = "A" * 43 + "="
WRONG = [
    *(("PORT", value) for value in ["0", "65536", "http", "-1", "80.5", "8080a", "1" * 10]),
    *(("PUBSUB_EMULATOR_HOST", value) for value in ["localhost", "localhost:", "http://localhost:1", ":80"]),
    *(("FIRESTORE_EMULATOR_HOST", value) for value in ["a b:80", "localhost:99999", "localhost:0", "::1:80"]),
    *(("GOOGLE_CLOUD_PROJECT", value) for value in ["short", "Upper-case", "9digits", "a" * 31, "a/b/c/d"]),
    *(("ELASTICSEARCH_URL", value) for value in ["localhost:9200", "ftp://a", "http://", "http://["]),
    *(
        ("ELASTICSEARCH_URL", value)
        for value in ["http://a:99999", "http://a:x", "http://:9200", "http://a b"]
    ),
    *(("ELASTICSEARCH_INDEX_PREFIX", value) for value in ["Yts", "-a", "a*", "a,b", "a" * 64]),
    *(("YOUTUBE_API_ENDPOINT", value) for value in ["youtube.com", "javascript:alert(1)"]),
    ("YOUTUBE_BASE_URL", "www.youtube.com"),
    ("YOUTUBE_EMBED_BASE_URL", "//youtube.com"),
    *(("FETCH_CONCURRENCY", value) for value in ["0", "1001", "many"]),
    *(("PROXY_URL", value) for value in ["proxy:80", "socks5://proxy:80"]),
    ("PROXY_MODE", "sometimes"),
    *(("YOUTUBE_PARTIAL_ANSWERS", value) for value in ["true", "ON", "1"]),
    *(("EMBEDDER", value) for value in ["on", "USE", "fastembed", "fastembed:", "fastembed:../x", "use off"]),
    *(("TRANSCRIPT_LANGUAGES", value) for value in ["en,english language", "e", "en;de", "en,../de"]),
    *(("GOOGLE_OAUTH_TOKEN_URI", value) for value in ["accounts.google.com", "javascript:alert(1)"]),
    *(("GRANT_ENCRYPTION_KEYS", value) for value in ["short", "a" * 44, f"{KEY},x", "é" * 43 + "="]),
    *(("PUBLIC_URL", value) for value in ["https://yts.test/app", "http://yts.test", "yts.test"]),
    *(("PUBLIC_URL", value) for value in ["https://ada@yts.test", "https://yts.test?x"]),
    *(("JOBS_PER_HOUR", value) for value in ["0", "-1", "many"]),
    *(("FIRESTORE_MEMORY_MB", value) for value in ["0", "63", "1g"]),
    *(("FETCH_AGAIN_PER_DAY", value) for value in ["0", "-1", "1000001", "many"]),
    *(("STALLED_AFTER_SECONDS", value) for value in ["0", "86401", "10m"]),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_value_is_named_with_what_was_expected_and_found(name: str, value: str) -> None:
    with pytest.raises(ConfigError) as raised:
        Config.from_env({name: value})
    message = str(raised.value)
    assert message.startswith(f"{name}: expected ")
    assert "found" in message


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PORT", " 9000 ", 9000),
        ("PUBSUB_EMULATOR_HOST", "[::1]:8085", "[::1]:8085"),
        ("ELASTICSEARCH_URL", "http://localhost:9200/", "http://localhost:9200"),
        ("ELASTICSEARCH_URL", "https://u:p@es.example.com/path/", "https://u:p@es.example.com/path"),
        ("TRANSCRIPT_LANGUAGES", " en, pt-BR ,,zh-Hans", ("en", "pt-BR", "zh-Hans")),
        ("PROXY_MODE", "always", "always"),
        ("YOUTUBE_PARTIAL_ANSWERS", "off", "off"),
        ("EMBEDDER", "fastembed:intfloat/multilingual-e5-large", "fastembed:intfloat/multilingual-e5-large"),
        ("LOCAL_STATE_DIR", "/elsewhere", Path("/elsewhere")),
    ],
)
def test_a_value_is_read(name: str, value: str, expected: object) -> None:
    assert getattr(Config.from_env({name: value}), name.lower()) == expected


@pytest.mark.parametrize(
    "url", ["user:hunter2@proxy:80", "socks5://user:hunter2@proxy:80", "http://u:hunter2@["]
)
def test_the_error_about_a_proxy_does_not_tell_its_password(url: str) -> None:
    with pytest.raises(ConfigError) as raised:
        Config.from_env({"PROXY_URL": url})
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    "name",
    [
        "ELASTICSEARCH_API_KEY",
        "YOUTUBE_API_KEY",
        "WEBSHARE_PROXY_USERNAME",
        "WEBSHARE_PROXY_PASSWORD",
        "OPERATOR_TOKEN",
        "PROXY_URL",
    ],
)
def test_secrets_are_not_shown(name: str) -> None:
    assert "hunter2" not in repr(Config.from_env({name: "http://hunter2"}))


def test_the_owner_is_the_demo_user_with_emulators_only() -> None:
    assert Config.from_env({"FIRESTORE_EMULATOR_HOST": "localhost:1"}).owner == "demo"
    assert Config.from_env({"OWNER_USER_ID": "ada"}).owner == "ada"
    assert Config.from_env({"OWNER_USER_ID": "ada", "FIRESTORE_EMULATOR_HOST": "a:1"}).owner == "ada"


def test_it_is_read_from_the_environment_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "1234")
    assert config.load().port == 1234


SECRETS = {
    "GOOGLE_OAUTH_CLIENT_ID": "1234.apps.googleusercontent.com",
    "GOOGLE_OAUTH_CLIENT_SECRET": "GOCSPX-abcdefghijk",
    "GRANT_ENCRYPTION_KEYS": KEY,
    "PUBLIC_URL": "https://yts.test",
}


#: A function in the cloud, and one that runs on emulators.
PROJECT = {"GOOGLE_CLOUD_PROJECT": "a-real-project"}
CLOUD, EMULATORS = (
    {"K_SERVICE": "account", **PROJECT},
    {"K_SERVICE": "account", "FIRESTORE_EMULATOR_HOST": "a:1"},
)


def require(environment: dict[str, str]) -> None:
    Config.from_env(environment).require(*SECRETS)


def test_a_function_starts_in_the_cloud_with_all_secrets() -> None:
    require(CLOUD | SECRETS)


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("value", ["", "local-stand-in-client", "change-me", "your-secret", "<secret>"])
def test_a_missing_secret_or_an_example_stops_a_start_in_the_cloud(name: str, value: str) -> None:
    wrong = SECRETS | {name: value}
    for cloud in (CLOUD, PROJECT):
        with pytest.raises(ConfigError, match=name) as raised:
            require(cloud | wrong)
        assert not value or value not in str(raised.value) or name == "PUBLIC_URL"
    # The values of these two have a form, which is checked everywhere.
    if not value or name not in ("PUBLIC_URL", "GRANT_ENCRYPTION_KEYS"):
        require(EMULATORS | wrong)
        # Without any other variable, a function is only imported.
        require(wrong)


def test_secrets_are_not_printed() -> None:
    settings = Config.from_env({**SECRETS, "YOUTUBE_API_KEY": "AIzaSy-a-key"})
    printed = f"{settings} {settings.oauth}"
    for secret in ("GOCSPX", KEY, "AIzaSy"):
        assert secret not in printed
    assert (settings.sign_in, Config.from_env({}).sign_in) == (True, False)


@pytest.mark.parametrize("project", ["", "  ", "yts-local"])
def test_a_function_in_the_cloud_needs_a_project_of_its_own(project: str) -> None:
    """Google's platform does not set the variable. With another project every call is refused."""
    environment = {"K_SERVICE": "search", "GOOGLE_CLOUD_PROJECT": project}
    with pytest.raises(ConfigError, match=r"^GOOGLE_CLOUD_PROJECT: expected the id of your project"):
        Config.from_env(environment).require()
    Config.from_env(environment | {"FIRESTORE_EMULATOR_HOST": "a:1"}).require()
    Config.from_env(environment | PROJECT).require()


@pytest.mark.parametrize("name", ["PUBLIC_URL", "ELASTICSEARCH_URL"])
def test_an_address_is_a_placeholder_only_if_it_can_be_nobodys(name: str) -> None:
    def check(url: str) -> None:
        Config.from_env(CLOUD | {name: url}).require(name)

    for url in ("https://counterexample.app", "https://example-1.a.run.app", "https://secret.garden.org"):
        check(url)
    for url in (
        "https://example.com",
        "https://yts.example.org",
        "https://yts.example",
        "https://example.net:8080",
    ):
        with pytest.raises(ConfigError, match=f"^{name}: expected a value of your own"):
            check(url)


def test_everything_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(ConfigError) as raised:
        Config.from_env({"K_SERVICE": "account", "PUBLIC_URL": "https://yts.test"}).require(*SECRETS)
    named = [each.partition(":")[0] for each in str(raised.value).split("; ")]
    assert named == ["GOOGLE_CLOUD_PROJECT", *(name for name in SECRETS if name != "PUBLIC_URL")]


@pytest.mark.parametrize("function", load_pipeline(Config()).functions, ids=lambda each: each.name)
def test_a_function_does_not_start_in_the_cloud_without_what_it_needs(
    function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in fields(Config):
        monkeypatch.delenv(each.name.upper(), raising=False)
    client(function.name)
    source = (ROOT / "functions" / function.name / "main.py").read_text()
    # Everything that the objects of the function read, and without which they cannot work.
    needed = {"GOOGLE_CLOUD_PROJECT"}
    if "SearchServer(" in source:
        needed.add("ELASTICSEARCH_URL")
    if "Google(" in source:
        needed |= {"GOOGLE_OAUTH_CLIENT_ID", "GOOGLE_OAUTH_CLIENT_SECRET", "GRANT_ENCRYPTION_KEYS"}
    if function.name in ("index", "planner", "refresh"):
        needed.add("YOUTUBE_API_KEY")
    if function.trigger == "http" and not all(public for _, _, public in endpoints(function.name)):
        # The answer to a stranger says where to sign in, and a browser's request is compared with the origin.
        needed |= {"GOOGLE_OAUTH_CLIENT_ID", "PUBLIC_URL"}
    monkeypatch.setenv("K_SERVICE", function.name)
    with pytest.raises(ConfigError) as raised:
        client(function.name)
    assert {each.partition(":")[0] for each in str(raised.value).split("; ")} == needed
