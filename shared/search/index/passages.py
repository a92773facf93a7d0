"""Writes the index of passages: one for each model, with one document a video and its passages nested in it.

One document, because its version orders all writes: repeated and late ones leave exactly the passages of the
newest. The vectors are in the store, too, so filling the index again needs no model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from shared.meaning.store import VideoPassages
from shared.search.errors import error_from, translate_errors
from shared.search.index import bulk, mapping
from shared.search.index.bulk import Write
from shared.search.server import SearchServer

#: Increase it when the mapping changes. `reindex` then fills a new index.
VERSION = 1


class PassageIndex:
    """Thread-safe; one object a process."""

    def __init__(self, server: SearchServer) -> None:
        self._server = server

    def write(self, model: str, videos: Mapping[str, VideoPassages]) -> None:
        """Writes the passages of videos by id. An older version never replaces a newer one.

        Raises:
            Transient: the server does not answer or is overloaded.
            NotAccepted: (Permanent) the server does not accept some videos.
        """
        alias = self._server.passages(model)
        for chunk in bulk.chunks(_write(video_id, each) for video_id, each in videos.items()):
            errors = bulk.send(self._server, chunk, alias)
            if bulk.no_index(errors):
                self._create(model, next(iter(videos.values())).dimensions)
                errors = bulk.send(self._server, chunk, alias)
            if error := bulk.error_for(errors):
                raise error

    def count(self, model: str) -> int | None:
        """The number of videos, also of those that searches do not see yet. None without an index of VERSION.

        Raises:
            Transient: the server does not answer.
        """
        alias = self._server.passages(model)
        client = self._server.client.options(ignore_status=404)
        with translate_errors():
            found = client.indices.get_mapping(index=alias)
            if "error" in found or {each["mappings"]["_meta"]["version"] for each in found.values()} != {
                VERSION
            }:
                return None
            client.indices.refresh(index=alias)
            return int(client.count(index=alias).get("count", 0))

    def remove(self, model: str) -> None:
        """Deletes the index of a model. Raises Transient."""
        client = self._server.client.options(ignore_status=404)
        with translate_errors():
            client.indices.delete(index=_index(self._server.passages(model)))

    def renew(self, model: str, dimensions: int) -> None:
        """Makes an empty index in the place of the one there is. Raises Transient."""
        self.remove(model)
        self._create(model, dimensions)

    def _create(self, model: str, dimensions: int) -> None:
        # Always the same name, so that of two processes the second one finds it made.
        alias = self._server.passages(model)
        client = self._server.client.options(ignore_status=400)
        with translate_errors():
            answer = client.indices.create(index=_index(alias), **_body(dimensions))
            error = answer.get("error")
            if error and error["type"] != "resource_already_exists_exception":
                raise error_from({"status": 400, **error})
            # Now its shards answer. Until then it would be searched in vain, and an error be shown.
            self._server.client.indices.put_alias(index=_index(alias), name=alias)


def _index(alias: str) -> str:
    return f"{alias}-0"


def _write(video_id: str, passages: VideoPassages) -> Write:
    nested = [
        {**place._asdict(), "vector": passages.vector(number).hex()}
        for number, place in enumerate(passages.unpack_places())
    ]
    body = {"video_id": video_id, "known": passages.known, "passages": nested}
    return Write(video_id, passages.version, orjson.dumps(body))


def _body(dimensions: int) -> dict[str, Any]:
    """The request that makes the index, without its alias."""
    number = {"type": "integer", "index": False, "doc_values": False}
    vector = {
        "type": "dense_vector",
        "element_type": "byte",
        "dims": dimensions,
        "similarity": "cosine",
        # Exact. The library's filter leaves few, and a graph would cost more to make than it saves.
        "index_options": {"type": "flat"},
    }
    places = dict.fromkeys(("first", "last", "start", "end"), number)
    return {
        "settings": {"index": {"number_of_shards": mapping.SHARDS, "auto_expand_replicas": mapping.REPLICAS}},
        "mappings": {
            "dynamic": "strict",
            "_meta": {"version": VERSION},
            # As text they would take three times the space of the vectors.
            "_source": {"excludes": ["passages.vector"]},
            "properties": {
                "video_id": {"type": "keyword"},
                "known": {"type": "boolean"},
                "passages": {"type": "nested", "properties": {**places, "vector": vector}},
            },
        },
    }
