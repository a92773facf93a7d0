"""A video as a note for Obsidian and the like, and the note that lists all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import inf
from typing import Any

from shared.exports.markdown import inline, lines, tag, yaml
from shared.exports.names import file_name
from shared.search.index.analysis import join
from shared.search.video import Whole
from shared.transcripts.subtitles import timestamp
from shared.transcripts.transcript import Line

#: Seconds. A paragraph of this length ends with its sentence or before a pause; a longer one ends anyway.
_SHORT, _LONG, _PAUSE = 30, 75, 1.5
#: Characters. Speech of a minute has about a thousand.
_MOST = 1_500
_ENDS = (".", "!", "?", "…", "。", "！", "？", "؟", "।", "۔", '."', '?"', '!"', ".”", "?”", "!”", "」")
INDEX = "Index.md"

About = Mapping[str, Any]


def name(about: About) -> str:
    return file_name(about["title"], about["video_id"], ".md")


def note(video: Whole) -> str:
    """Properties, title, description, and the transcript in paragraphs that begin with a timed link."""
    about = video.about
    source = [inline(about["channel"]), f"<{about['url']}>", *([_day(about)] if _day(about) else [])]
    parts = [_properties(video), f"# {inline(_title(about))}", " · ".join(filter(None, source))]
    if about["description"]:
        parts += ["## Description", lines(about["description"])]
    parts.append("## Transcript")
    if not video.lines:
        parts.append(inline(about["reason"] or "This video has no captions."))
    for title, spoken in _by_chapter(video.lines, about["chapters"]):
        parts += [f"### {inline(title)}"] if title else []
        parts += (_paragraph(part, about["url"]) for part in paragraphs(spoken))
    return "\n\n".join(parts) + "\n"


def _properties(video: Whole) -> str:
    about = video.about
    playlists = [title or playlist_id for playlist_id, title in video.playlists.items()]
    tags = [tag(about["channel"]), *map(tag, playlists)]
    under = ["channel", *["playlist"] * len(playlists)]
    named = [f"{kind}/{each}" for kind, each in zip(under, tags, strict=True) if each]
    duration = about["duration_seconds"]
    values: dict[str, str | list[str] | bool | None] = {
        "title": about["title"],
        # Links and the quick switcher find the note by the whole title, too.
        "aliases": [about["title"]] if about["title"] else None,
        "channel": about["channel"],
        "url": about["url"],
        "video_id": about["video_id"],
        "duration": timestamp(duration) if duration else None,
        "language": about["language"],
        "playlists": playlists,
        "tags": ["youtube", *dict.fromkeys(named)],
        "gone": about.get("gone"),
    }
    # Without quotes it is a date.
    published = [f"published: {_day(about)}"] if _day(about) else []
    rows = [f"{key}: {yaml(value)}" for key, value in values.items() if value not in (None, "")]
    return "\n".join(["---", *rows, *published, "---"])


def _title(about: About) -> str:
    return str(about["title"] or about["video_id"])


def _day(about: About) -> str:
    return (about["published_at"] or "")[:10]


def _by_chapter(
    spoken: Sequence[Line], chapters: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, Sequence[Line]]]:
    """The title of each chapter and the lines that begin in it; what comes before the first has none."""
    starts = [-inf, *(each["start"] for each in chapters), inf]
    for number, title in enumerate(["", *(each["title"] for each in chapters)]):
        yield title, [line for line in spoken if starts[number] <= line.start < starts[number + 1]]


def paragraphs(spoken: Sequence[Line]) -> Iterator[list[Line]]:
    """Lines that belong together: see :data:`_SHORT` and the other limits."""
    part: list[Line] = []
    size = 0
    for line in spoken:
        if part and _ends(part, size, line):
            yield part
            part, size = [], 0
        part.append(line)
        size += len(line.text)
    if part:
        yield part


def _ends(part: Sequence[Line], size: int, following: Line) -> bool:
    lasted, last = following.start - part[0].start, part[-1]
    pauses = following.start - (last.start + last.duration) >= _PAUSE
    return (
        lasted >= _LONG
        or size + len(following.text) > _MOST
        or (lasted >= _SHORT and (pauses or last.text.endswith(_ENDS)))
    )


def _paragraph(part: Sequence[Line], url: str) -> str:
    second = int(part[0].start)
    # Without spaces between lines of a script that has none.
    return f"[{timestamp(second)}]({url}&t={second}s) {inline(join([line.text for line in part])[0])}"


def index(videos: Iterable[About]) -> Iterator[str]:
    """The note with links to all notes, a piece at a time. ``videos``: the newest first."""
    yield "---\ntitle: Index\n---\n\n# Index\n"
    year = None
    for about in videos:
        day = _day(about)
        if year != (day[:4] or "No date"):
            year = day[:4] or "No date"
            yield f"\n## {year}\n\n"
        # In angle brackets, a link may have spaces and brackets. Obsidian decodes what follows a %.
        link = f"[{inline(_title(about))}](<{name(about).replace('%', '%25')}>)"
        duration = about["duration_seconds"]
        more = [inline(about["channel"]), day, timestamp(duration) if duration else ""]
        yield "- " + " · ".join(filter(None, [link, *more])) + "\n"
    if year is None:
        yield "\nNo videos.\n"
