"""Logs: one JSON object a line, the fields of the current work, and no secret."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared import logs
from shared.errors import Transient
from tests.unit.functions import json_logs

SECRET = "AbCdEf0123456789-_xyz"


@pytest.fixture(autouse=True)
def _configured() -> Iterator[None]:
    with json_logs():
        yield


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_line_is_an_object_as_cloud_logging_reads_it(capsys: pytest.CaptureFixture[str]) -> None:
    logs.info("something\nhappened", videos=3, title="Grüße, 世界")
    logs.warning("hm")
    found = lines(capsys)
    assert [line["severity"] for line in found] == ["INFO", "WARNING"]
    assert (found[0]["message"], found[0]["videos"]) == ("something\nhappened", 3)
    assert found[0]["title"] == "Grüße, 世界"
    assert found[0]["time"].endswith("+00:00")


def test_an_error_carries_its_traceback_in_the_same_line(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise ValueError("what went wrong")
    except ValueError as error:
        logs.error("a defect", error)
    (line,) = lines(capsys)
    assert line["severity"] == "ERROR"
    # By these two fields Error Reporting takes a line for an error, and groups it.
    assert line["@type"].endswith(".ReportedErrorEvent")
    assert "Traceback" in line["stack_trace"]
    assert "what went wrong" in line["stack_trace"]


def test_only_errors_are_reported(capsys: pytest.CaptureFixture[str]) -> None:
    logs.error("a search was refused")
    logs.warning("nacked", ValueError("x"))
    logs.info("parked")
    logging.getLogger("of.a.library").critical("out of memory")
    assert ["@type" in line for line in lines(capsys)] == [True, False, False, True]


TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("headers", "span"),
    [
        ({"traceparent": f"00-{TRACE}-{SPAN}-01"}, SPAN),
        ({"traceparent": f"cc-{TRACE}-{SPAN}-00-what-comes-later"}, SPAN),
        ({"X-Cloud-Trace-Context": f"{TRACE}/{int(SPAN, 16)};o=1"}, SPAN),
        ({"X-Cloud-Trace-Context": f"{TRACE.upper()}/1"}, "0000000000000001"),
        ({"X-Cloud-Trace-Context": TRACE}, None),
        ({"X-Cloud-Trace-Context": f"{TRACE}/0;o=0"}, None),
        ({"X-Cloud-Trace-Context": f"{TRACE}/99999999999999999999"}, None),
        # One wrong header does not hide the other.
        ({"traceparent": "nonsense", "X-Cloud-Trace-Context": f"{TRACE}/{int(SPAN, 16)}"}, SPAN),
    ],
)
def test_the_trace_of_a_request_is_read(headers: dict[str, str], span: str | None) -> None:
    found = logs.trace_of(headers, "p")
    assert found.pop("logging.googleapis.com/trace") == f"projects/p/traces/{TRACE}"
    assert found == ({"logging.googleapis.com/spanId": span} if span else {})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"traceparent": f"00-{'0' * 32}-{SPAN}-01"},
        {"traceparent": f"00-{TRACE}-{'0' * 16}-01"},
        {"traceparent": f"00-{TRACE}-{SPAN}"},
        {"X-Cloud-Trace-Context": "../../other/traces/x"},
        {"X-Cloud-Trace-Context": f"{TRACE}/x"},
        {"X-Cloud-Trace-Context": f"{TRACE[:31]}/1"},
    ],
)
def test_nonsense_is_no_trace(headers: dict[str, str]) -> None:
    assert logs.trace_of(headers, "p") == {}


def test_a_warning_carries_the_detail_and_the_cause_of_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    error = Transient("The database did not answer in time.", detail="read jobs/j within 10 s")
    error.__cause__ = TimeoutError("10 s")
    logs.warning("nacked", error, job_id="j")
    (line,) = lines(capsys)
    assert (line["severity"], line["message"], line["job_id"]) == ("WARNING", "nacked", "j")
    assert line["reason"] == "The database did not answer in time."
    assert line["detail"] == "read jobs/j within 10 s"
    assert line["cause"] == "TimeoutError('10 s')"


def test_lines_of_libraries_have_the_same_form(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("google").propagate = False
    logs.configure()
    library = logging.getLogger("google.auth.transport")
    library.info("not shown")
    with logs.context(job_id="a"):
        library.warning("the token yts_%s is wrong", SECRET)
    (line,) = lines(capsys)
    assert (line["severity"], line["logger"], line["job_id"]) == ("WARNING", "google.auth.transport", "a")
    assert line["message"] == "the token [redacted] is wrong"


def test_the_context_is_added_inside_and_forgotten_outside(capsys: pytest.CaptureFixture[str]) -> None:
    with logs.context(job_id="a"):
        with logs.context(video_id="b", job_id="c"):
            logs.info("inner")
        logs.info("outer")
    logs.info("outside")
    inner, outer, outside = lines(capsys)
    assert (inner["job_id"], inner["video_id"]) == ("c", "b")
    assert outer["job_id"] == "a"
    assert "video_id" not in outer
    assert "job_id" not in outside


def test_the_context_ends_with_an_exception(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyError), logs.context(job_id="a"):
        raise KeyError
    logs.info("outside")
    assert "job_id" not in lines(capsys)[0]


def test_threads_have_contexts_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    inside, leave = threading.Event(), threading.Event()

    def work() -> None:
        with logs.context(job_id="of the thread"):
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=work)
    thread.start()
    assert inside.wait(10)
    logs.info("of the test")
    leave.set()
    thread.join()
    assert "job_id" not in lines(capsys)[0]


SECRETS = [
    f"Authorization: Bearer {SECRET}",
    f"authorization=Basic {SECRET}",
    f"{{'Authorization': 'Bearer {SECRET}'}}",
    f"GET /youtube/v3/videos?part=snippet&key={SECRET}&id=x",
    f"/api/login/callback?state=s&code={SECRET}",
    f'{{"access_token": "{SECRET}"}}',
    f'{{\\"access_token\\": \\"{SECRET}\\"}}',
    f"refresh_token={SECRET}",
    f"client_secret: {SECRET}",
    f"password='{SECRET}'",
    f"Cookie: __session={SECRET}",
    f"the token yts_{SECRET} is not known",
    f"ya29.{SECRET}",
    f"Cookie: __session=yts_session_{SECRET}~yts_attempt_{SECRET}",
    f"/api/login/callback?code=4%2F0{SECRET}&scope=openid",
    f"Malformed auth code 4/0{SECRET}",
    f"id_token eyJhbGciOiJSUzI1NiJ9.{SECRET}.{SECRET}",
    f"code_verifier={SECRET}",
    f"1//{SECRET}",
    f"ada.{SECRET}+lists@mail.example.co.uk wrote",
]


@pytest.mark.parametrize("text", SECRETS)
def test_secrets_are_redacted(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert SECRET not in logs.redact(text)
    assert "[redacted]" in logs.redact(text)
    # As a message, in a field, within a field that is JSON itself, in an exception, in the context.
    with logs.context(found=text):
        logs.info(text, reason=text, body=json.dumps({"inner": text}), nested={"deep": [text]})
        logs.error("a defect", ValueError(text))
    printed = capsys.readouterr().out
    assert SECRET not in printed
    assert all(json.loads(line) for line in printed.splitlines())


@pytest.mark.parametrize(
    "text",
    [
        "job 0f8fad5bd9cb469fa16570867728950e is done",
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
        "HTTP 403: quotaExceeded",
        "projects/yts-local/topics/dead-letters",
        "2024-01-31T12:00:00.000Z",
        "mail me @ noon",
    ],
)
def test_other_text_stays(text: str) -> None:
    assert logs.redact(text) == text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(message=st.text(), field=st.text() | st.binary() | st.floats() | st.sets(st.integers()))
def test_anything_can_be_logged_on_one_line(
    message: str, field: object, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    logs.info(message, field=field)
    printed = capsys.readouterr().out
    assert printed.endswith("\n")
    assert printed.count("\n") == 1
    assert json.loads(printed)["severity"] == "INFO"


def test_half_a_surrogate_pair_does_not_stop_the_work(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    # Without pytest's own handler: pytest-xdist cannot send the line that it keeps for the report.
    with json_logs():
        logs.info("before \ud800 after")
    assert b"before ? after" in capfdbinary.readouterr().out
