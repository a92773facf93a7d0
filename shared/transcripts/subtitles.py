"""Transcripts as SubRip, WebVTT (https://www.w3.org/TR/webvtt1/) and plain text."""

from __future__ import annotations

from collections.abc import Sequence

from shared.transcripts.transcript import Line

MIMETYPES = {
    "srt": "application/x-subrip",
    "vtt": "text/vtt",
    "txt": "text/plain",
}


def render(lines: Sequence[Line], form: str) -> str:
    """``form``: a key of :data:`MIMETYPES`."""
    return {"srt": srt, "vtt": vtt, "txt": txt}[form](lines)


def srt(lines: Sequence[Line]) -> str:
    return "\n".join(
        # SubRip has no escapes, and its readers search for arrows in every line.
        f"{number}\n{_times(line, ',')}\n{line.text.replace('-->', '→')}\n"
        for number, line in enumerate(lines, start=1)
    )


def vtt(lines: Sequence[Line]) -> str:
    cues = (f"{_times(line, '.')}\n{_escape(line.text)}\n" for line in lines)
    return "\n".join(["WEBVTT\n", *cues])


def txt(lines: Sequence[Line]) -> str:
    return "".join(f"{line.text}\n" for line in lines)


def _times(line: Line, point: str) -> str:
    start = max(round(line.start * 1000), 0)
    # WebVTT requires that a cue ends after its start.
    end = max(start + 1, round((line.start + line.duration) * 1000))
    return f"{_time(start, point)} --> {_time(end, point)}"


def _time(milliseconds: int, point: str) -> str:
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}{milliseconds:03}"


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
