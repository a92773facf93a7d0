"""The server: which tools and resources there are, and what models are told about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ToolError
from mcp_types import CallToolResult, InputRequiredResult, ToolAnnotations
from pydantic import Field, ValidationError

from shared import __version__
from shared.mcp import library, reading, searching
from shared.mcp.api import ApiError, Caller
from shared.mcp.quotes import INSTRUCTIONS, answer

#: Finds out in whose name a tool is called.
CallerOf = Callable[[Context[Any]], Caller]

_ABOUT = (
    "yts searches everything that is said in the YouTube videos that the user keeps, to the second."
    " Begin with search. Cite moments by their url, which opens the video at that second; read_transcript"
    " shows what is said around it. Only videos of the user's library are found: list_sources shows its"
    " playlists, index adds some. An answer that leaves something out says in left_out how to get it. "
)
_READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
_ADDS = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=True)

_Q = Annotated[
    str,
    Field(
        description='What to look for. Words are ANDed; "exact phrase" (also across caption lines); a OR b;'
        ' -word excludes; prefix*; fuzzy~; "two words"~8 within 8 words; title: description: channel:'
        ' chapter: before a word search there only. Example: "lease expires" OR fencing -raft'
    ),
]
_Video = Annotated[str, Field(description="The id or address of a video.")]
_Day = Annotated[str | None, Field(description="A date such as 2024-01-31.")]
_Cursor = Annotated[str | None, Field(description="The cursor of the answer before, to get what follows.")]


class _Server(MCPServer[Any]):
    """With errors of arguments in sentences, and no argument that is ignored."""

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        known = {each.name: each.input_schema["properties"] for each in await self.list_tools()}
        if name in known and (unknown := sorted(set(arguments) - set(known[name]))):
            raise ToolError(f"{name} has no argument {unknown[0][:60]!r}. It has {', '.join(known[name])}.")
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            cause = error.__cause__
            if isinstance(cause, ValidationError):
                raise ToolError(_sentences(cause)) from cause
            if isinstance(cause, ApiError):
                raise cause from cause.__cause__
            raise


def _sentences(error: ValidationError) -> str:
    found = {
        f"{each['loc'][0] if each['loc'] else 'arguments'}: {each['msg'][:1].lower()}{each['msg'][1:]}."
        for each in error.errors(include_url=False, include_input=False)
    }
    return " ".join(sorted(found))


def make_server(caller_of: CallerOf) -> MCPServer[Any]:
    """The tools and resources, in the name of the caller of each message."""
    server = _Server(
        "yts",
        title="yts: search what is said in your YouTube videos",
        instructions=_ABOUT + INSTRUCTIONS,
        version=__version__,
        log_level="WARNING",
        # Nothing ever changes without a request, so nobody has to listen.
        subscriptions=False,
    )
    _add_searching(server, caller_of)
    _add_library(server, caller_of)
    _add_clips(server, caller_of)
    return server


def _add_searching(server: MCPServer[Any], caller_of: CallerOf) -> None:
    @server.tool(annotations=_READS)
    def search(
        ctx: Context[Any],
        q: _Q,
        playlist: Annotated[
            list[str] | None, Field(description="Only these sources: playlist_id of list_sources.")
        ] = None,
        channel: Annotated[list[str] | None, Field(description="Only channels of these names.")] = None,
        language: Annotated[
            list[str] | None, Field(description="Only captions in these languages, such as en or pt-BR.")
        ] = None,
        after: _Day = None,
        before: _Day = None,
        sort: Annotated[
            Literal["relevance", "newest", "oldest", "longest", "shortest", "added"],
            Field(description="The order of the videos. Dates are those of publication."),
        ] = "relevance",
        by: Annotated[
            Literal["words", "meaning"],
            Field(
                description="words: what was said in these words. meaning: passages that are about this,"
                " whatever their words; write a plain sentence or question."
            ),
        ] = "words",
        video: Annotated[
            str | None,
            Field(description="Only in this video (id or address), with all moments. No other filter then."),
        ] = None,
        limit: Annotated[int, Field(description=f"Videos in the answer, 1 to {searching.MAXIMUM}.")] = 5,
        cursor: _Cursor = None,
    ) -> Annotated[CallToolResult, searching.Found]:
        """Searches transcripts, titles, chapters and descriptions of the user's videos.

        Answers with videos, each with the moments where it was said: second, words, and a url that opens the
        video there. For questions that words cannot find, use by="meaning". If no video has all words,
        notices say so, and missing names the words that a video lacks.
        """
        caller = caller_of(ctx)
        filters = {
            "playlist": playlist,
            "channel": channel,
            "language": language,
            "after": after,
            "before": before,
            "sort": None if sort == "relevance" else sort,
        }
        if video is None:
            return answer(searching.search(caller, q, limit, by, cursor, **filters))
        if by != "words" or any(filters.values()):
            raise ApiError("Within one video, only q and cursor count. Leave the other arguments out.")
        return answer(searching.search_in_video(caller, reading.video_of(video), q, cursor))

    @server.tool(annotations=_READS)
    def read_transcript(
        ctx: Context[Any],
        video: _Video,
        second: Annotated[
            float | None,
            Field(
                description=f"Reads from {reading.BEFORE} s before this second to {reading.AFTER} s after it."
            ),
        ] = None,
        chapter: Annotated[int | None, Field(description="Reads this chapter, by its number from 1.")] = None,
        from_line: Annotated[
            int | None, Field(description="Reads on from this line, as left_out says.")
        ] = None,
        characters: Annotated[
            int,
            Field(description=f"The most characters of lines, {reading.FEWEST} to {reading.MOST:,}."),
        ] = reading.CHARACTERS,
    ) -> Annotated[CallToolResult, reading.Transcript]:
        """Reads what is said in a video, line by line with times, and lists its chapters.

        Give second (around a hit of search), chapter, or from_line; without them it begins at the beginning.
        """
        return answer(
            reading.read(
                caller_of(ctx),
                video,
                second=second,
                chapter=chapter,
                from_line=from_line,
                characters=characters,
            )
        )

    @server.resource(
        "yts://videos/{video_id}/transcript",
        name="transcript",
        title="The transcript of a video",
        description="Everything that is said in a video of the user's library, line by line with times.",
        mime_type="text/plain",
    )
    def transcript(ctx: Context[Any], video_id: str) -> str:
        try:
            return reading.resource(caller_of(ctx), video_id)
        except ApiError as error:
            raise ResourceError(str(error)) from error


def _add_library(server: MCPServer[Any], caller_of: CallerOf) -> None:
    @server.tool(annotations=_READS)
    def list_sources(
        ctx: Context[Any],
        skip: Annotated[int, Field(description="Leaves out so many sources of the beginning.")] = 0,
    ) -> Annotated[CallToolResult, library.Sources]:
        """Lists the playlists, channels and collections of the user, and how much of each is indexed.

        One with indexed null is the user's at YouTube, and was never indexed: nothing in it is found yet.
        """
        return answer(library.list_sources(caller_of(ctx), skip))

    @server.tool(annotations=_ADDS)
    def index(
        ctx: Context[Any],
        text: Annotated[
            str,
            Field(
                description="Addresses or ids of playlists, channels (@handle, too) and videos, one a line."
            ),
        ],
        newest: Annotated[
            int | None, Field(description="Of a single channel: only so many of the newest videos.")
        ] = None,
        since: Annotated[
            str | None, Field(description="Of a single channel: only what it published since this date.")
        ] = None,
    ) -> Annotated[CallToolResult, library.Indexing]:
        """Adds videos to the user's library and makes them searchable. Only on the user's wish.

        Answers at once, while indexing goes on: follow it with job.
        """
        return answer(library.index(caller_of(ctx), text, newest, since))

    @server.tool(annotations=_READS)
    def job(
        ctx: Context[Any],
        job_id: Annotated[
            str | None, Field(description="A job that index has started. Without it: the latest jobs.")
        ] = None,
        wait_seconds: Annotated[
            int,
            Field(description=f"Waits so long for the end of the job, 0 to {library.WAIT}."),
        ] = 0,
    ) -> Annotated[CallToolResult, library.Jobs]:
        """Shows how far indexing is: state (queued, planning, running, done, failed, cancelled) and counts.

        Says which videos are not indexed, and why.
        """
        return answer(library.job(caller_of(ctx), job_id, wait_seconds))


def _add_clips(server: MCPServer[Any], caller_of: CallerOf) -> None:
    @server.tool(annotations=_READS)
    def clips(
        ctx: Context[Any],
        q: Annotated[
            str | None, Field(description="Words that are in the text, note, title or tags.")
        ] = None,
        tag: Annotated[str | None, Field(description="Only clips with this tag.")] = None,
        video: Annotated[str | None, Field(description="Only clips of this video (id or address).")] = None,
        limit: Annotated[int, Field(description=f"Clips in the answer, 1 to {library.CLIPS}.")] = 10,
        cursor: _Cursor = None,
    ) -> Annotated[CallToolResult, library.Clips]:
        """Lists the passages that the user has kept, with notes and tags, the newest first."""
        return answer(library.list_clips(caller_of(ctx), q, tag, video, limit, cursor))

    @server.tool(annotations=_ADDS)
    def add_clip(
        ctx: Context[Any],
        video: _Video,
        start: Annotated[float, Field(description="The second at which the passage begins.")],
        end: Annotated[float, Field(description="The second at which it ends.")],
        note: Annotated[str, Field(description="A note of the user.")] = "",
        tags: Annotated[list[str] | None, Field(description="Words to find it by.")] = None,
    ) -> Annotated[CallToolResult, library.Clips]:
        """Keeps a passage of a transcript as a clip. Only on the user's wish."""
        return answer(library.add_clip(caller_of(ctx), video, start, end, note, tags or ()))
