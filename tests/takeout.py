"""A Google Takeout as Google makes it: for tests of the page that reads it in the browser."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

#: A video id and when it was watched or added, as `2024-03-01T10:00:00`, in UTC.
Row = tuple[str, str]


@dataclass(frozen=True)
class Words:
    """The names of folders, files and columns in one language."""

    folder: str
    playlists: str
    history: str
    subscriptions: str
    watch_history: str
    suffix: str
    watch_later: str
    video_columns: tuple[str, str]
    channel_columns: tuple[str, str, str]


ENGLISH = Words(
    "YouTube and YouTube Music",
    "playlists",
    "history",
    "subscriptions",
    "watch-history",
    "-videos",
    "Watch later",
    ("Video ID", "Playlist Video Creation Timestamp"),
    ("Channel Id", "Channel Url", "Channel Title"),
)
GERMAN = Words(
    "YouTube und YouTube Music",
    "Playlists",
    "Verlauf",
    "Abos",
    "Wiedergabeverlauf",
    "-Videos",
    "Später ansehen",
    ("Video-ID", "Zeitstempel der Erstellung des Playlist-Videos"),
    ("Kanal-ID", "Kanal-URL", "Kanaltitel"),
)
_PLAYLIST_COLUMNS = (
    *("Playlist ID", "Add new videos to top", "Playlist Description (Original)"),
    *("Playlist Title (Original)", "Playlist Title (Original) Language", "Playlist Create Timestamp"),
    *("Playlist Update Timestamp", "Playlist Video Order", "Playlist Visibility"),
)
_HTML_HEAD = (
    '<html><head><meta charset="UTF-8"><title>History</title><style>.mdl-cell{}</style></head><body>'
    '<div class="mdl-grid">'
)
_HTML_CELL = (
    '<div class="outer-cell mdl-cell mdl-cell--12-col mdl-shadow--2dp"><div class="mdl-grid">'
    '<div class="header-cell mdl-cell mdl-cell--12-col"><p class="mdl-typography--title">{header}<br></p>'
    "</div>"
    '<div class="content-cell mdl-cell mdl-cell--6-col mdl-typography--body-1">{body}<br>{time}<br></div>'
    '<div class="content-cell mdl-cell mdl-cell--6-col mdl-typography--body-1 mdl-typography--text-right">'
    '</div><div class="content-cell mdl-cell mdl-cell--12-col mdl-typography--caption"><b>Products:</b><br>'
    "&emsp;YouTube<br>{details}</div></div></div>"
)
_REMOVED = "Watched a video that has been removed"


def table(rows: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def playlist(videos: Iterable[Row], words: Words = ENGLISH) -> str:
    """The CSV of a playlist. Google ends it with empty lines."""
    return table([words.video_columns, *((each, f"{time}+00:00") for each, time in videos)]) + "\n" * 5


def old_playlist(title: str, videos: Iterable[Row]) -> str:
    """The CSV of a playlist until 2023, in Italian: a block about the playlist, then the videos."""
    about = ("ID playlist", "ID canale", "Data di creazione", "Aggiornamento", "Titolo", "Descrizione", "V.")
    values = (
        "PLvd2udxH_9YfTKNC",
        "UCa-8F5RPuJgt2Kv26eYJv-w",
        "2023-03-07 05:54:43 Z",
        "2023-03-20 13:28:01 Z",
    )
    rows = [about, (*values, title, "una prova", "Privato"), *[("",) * 7] * 5]
    head = ("ID video", "Data e ora di aggiunta", *("",) * 5)
    return table([*rows, head, *((each, f"{time.replace('T', ' ')} Z", *("",) * 5) for each, time in videos)])


def history_json(watched: Iterable[Row], removed: int = 0, ads: int = 0, music: Iterable[Row] = ()) -> str:
    """The history in JSON, with as many removed videos and advertisements as said."""
    entries: list[dict[str, object]] = []
    for header, host, rows in (("YouTube", "www", watched), ("YouTube Music", "music", music)):
        for video, time in rows:
            url = f"https://{host}.youtube.com/watch?v={video}"
            entries.append(
                {"header": header, "title": f"Watched {video}", "titleUrl": url, "time": f"{time}.123Z"}
            )
    for number in range(removed):
        gone = {"header": "YouTube", "title": _REMOVED, "time": "2023-01-01T00:00:00Z"}
        if number % 2:
            # A private video has an address, and the address is its title.
            url = f"https://www.youtube.com/watch?v=gone{number:07}"
            gone |= {"title": f"Watched {url}", "titleUrl": url}
        entries.append(dict(gone))
    for number in range(ads):
        url = f"https://www.youtube.com/watch?v=advert{number:05}"
        ad = {"header": "YouTube", "title": "Watched an advertisement", "titleUrl": url}
        entries.append({**ad, "time": "2023-01-01T00:00:00Z", "details": [{"name": "From Google Ads"}]})
    return json.dumps(entries)


def history_html(watched: Iterable[Row], removed: int = 0, ads: int = 0) -> str:
    """The history in HTML. The times are the texts to show, in any language, the newest first."""
    cells = []
    for video, time in watched:
        link = f'<a href="https://www.youtube.com/watch?v={video}">A title &amp; more</a>'
        body = f'Watched\xa0{link}<br><a href="https://www.youtube.com/channel/UCx">A channel</a>'
        cells.append(_HTML_CELL.format(header="YouTube", body=body, time=time, details=""))
        if removed:
            removed -= 1
            cells.append(_HTML_CELL.format(header="YouTube", body=_REMOVED, time=time, details=""))
        if ads:
            ads -= 1
            details = "<b>Details:</b><br>&emsp;From Google Ads<br>"
            cells.append(_HTML_CELL.format(header="YouTube", body=link, time=time, details=details))
    return f"{_HTML_HEAD}{''.join(cells)}</div></body></html>"


def subscriptions(channels: Mapping[str, str], words: Words = ENGLISH) -> str:
    """`channels`: titles by id."""
    url = "http://www.youtube.com/channel/"
    return table([words.channel_columns, *((each, url + each, title) for each, title in channels.items())])


def files(
    playlists: Mapping[str, Sequence[Row]],
    watch_later: Sequence[Row] = (),
    history: str = "[]",
    channels: Mapping[str, str] | None = None,
    words: Words = ENGLISH,
) -> dict[str, str]:
    """The texts of a Takeout's files by path. `playlists`: videos by title."""
    top = f"Takeout/{words.folder}"
    kind = "json" if history.startswith("[") else "html"
    rows = [
        (f"PL{number:032}", "False", "", title, "", "2021-01-01T00:00:00+00:00", "", "Manual", "Private")
        for number, title in enumerate(playlists)
    ]
    made = {f"{top}/{words.playlists}/{words.playlists}.csv": table([_PLAYLIST_COLUMNS, *rows])}
    for title, videos in {words.watch_later: watch_later, **playlists}.items():
        made[f"{top}/{words.playlists}/{file_name(title, words.suffix)}"] = playlist(videos, words)
    made[f"{top}/{words.history}/{words.watch_history}.{kind}"] = history
    made[f"{top}/{words.history}/search-history.json"] = json.dumps(
        [
            {
                "header": "YouTube",
                "title": "Searched for x",
                "titleUrl": "https://www.youtube.com/results?search_query=x",
            }
        ]
    )
    made[f"{top}/{words.subscriptions}/{words.subscriptions}.csv"] = subscriptions(channels or {}, words)
    made[f"{top}/comments/comments.csv"] = 'Comment ID,Channel ID,Text\nUgx1,UCx,"{""text"":""hi""}"\n'
    made["Takeout/archive_browser.html"] = "<html><body>An overview</body></html>"
    return made


def file_name(title: str, suffix: str = "-videos") -> str:
    """As Google makes it: some characters go, others become `_`, and it is cut off after 47."""
    kept = "".join(char for char in title if char not in "\\;|:?")
    return "".join("_" if char in "'/%*\"" else char for char in kept + suffix)[:47] + ".csv"


def zipped(texts: Mapping[str, str | bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for path, text in texts.items():
            archive.writestr(path, text)
    return out.getvalue()
