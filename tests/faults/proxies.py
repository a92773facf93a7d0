"""Proxies in front of the real servers. They make chosen calls fail as a failing server would.

The clients of the code under test find them by ELASTICSEARCH_URL, FIRESTORE_EMULATOR_HOST and
PUBSUB_EMULATOR_HOST.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
import requests

#: A hanging call ends after so long, or when its client leaves, so that no thread outlives its test for long.
_HUNG_SECONDS = 30.0


class Fault:
    """What happens to calls.

    Args:
        kind: "hung" (accepted and never answered), "slow" (answered after ``seconds``), "down" (the
            connection is reset, or the status is UNAVAILABLE), or another kind that the proxy knows.
        only: calls whose name contains this; "" for all.
        times: only so many calls; None for all.

    ``struck``: the names of the calls that it happened to.
    """

    def __init__(self, kind: str, *, only: str = "", times: int | None = None, seconds: float = 0.2) -> None:
        self.kind, self.only, self.times, self.seconds = kind, only, times, seconds
        self.struck: list[str] = []
        self._lock = threading.Lock()

    def strikes(self, call: str) -> bool:
        """Whether it happens to this call, which is counted then."""
        with self._lock:
            if self.only not in call or (self.times is not None and len(self.struck) >= self.times):
                return False
            self.struck.append(call)
            return True


class GrpcProxy:
    """In front of Firestore or Pub/Sub. Other kinds of faults are names of gRPC statuses: "ABORTED"."""

    def __init__(self, upstream: str) -> None:
        self.fault: Fault | None = None
        self._released = threading.Event()
        self._channel = grpc.insecure_channel(upstream)
        self._pool = ThreadPoolExecutor(32)
        self._server = grpc.server(self._pool, handlers=(_Everything(self._handle),))
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def heal(self) -> None:
        """Ends the fault, and all calls that hang."""
        self.fault = None
        self._released.set()
        self._released = threading.Event()

    def close(self) -> None:
        self.heal()
        self._server.stop(0).wait()
        self._channel.close()
        self._pool.shutdown()

    def _handle(self, method: str, requests: Iterator[bytes], context: Any) -> Iterator[bytes]:
        fault = self.fault
        if fault is not None and fault.strikes(method.rsplit("/", 1)[1]):
            if fault.kind == "hung":
                gone = threading.Event()
                context.add_callback(gone.set)
                deadline, released = time.monotonic() + _HUNG_SECONDS, self._released
                while not (gone.wait(0.02) or released.is_set()) and time.monotonic() < deadline:
                    pass
                context.abort(grpc.StatusCode.CANCELLED, "the proxy let the call hang")
            elif fault.kind == "slow":
                time.sleep(fault.seconds)
            else:
                name = "UNAVAILABLE" if fault.kind == "down" else fault.kind
                context.abort(grpc.StatusCode[name], f"the proxy says {name}")
        metadata = [each for each in context.invocation_metadata() if not each.key.startswith("grpc-")]
        try:
            yield from self._channel.stream_stream(method)(
                requests, timeout=context.time_remaining(), metadata=metadata
            )
        except grpc.RpcError as error:
            context.abort(error.code(), error.details() or "")


class _Everything(grpc.GenericRpcHandler):  # type: ignore[misc]
    def __init__(self, handle: Callable[[str, Iterator[bytes], Any], Iterator[bytes]]) -> None:
        self._handle = handle

    def service(self, details: Any) -> Any:
        # On the wire, a single message is a stream with one message.
        return grpc.stream_stream_rpc_method_handler(
            lambda requests, context: self._handle(details.method, requests, context)
        )


class HttpProxy:
    """In front of Elasticsearch. Other kinds of faults are statuses, such as "429", and "items".

    With "items", the documents of a bulk request that are in ``items`` are refused, and all others written.
    """

    def __init__(self, upstream: str) -> None:
        self.fault: Fault | None = None
        #: The id of a document, and the error with which it is refused.
        self.items: Mapping[str, Mapping[str, Any]] = {}
        self._upstream = upstream.rstrip("/")
        self._released = threading.Event()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                proxy._handle(self)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def heal(self) -> None:
        """Ends the fault, and all requests that hang."""
        self.fault, self.items = None, {}
        self._released.set()
        self._released = threading.Event()

    def close(self) -> None:
        self.heal()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        fault = self.fault
        if fault is not None and fault.strikes(f"{handler.command} {handler.path}"):
            if fault.kind == "hung":
                self._released.wait(_HUNG_SECONDS)
            if fault.kind in ("hung", "down"):
                handler.close_connection = True
                return
            if fault.kind == "slow":
                time.sleep(fault.seconds)
            elif fault.kind != "items":
                error = {"type": "es_rejected_execution_exception", "reason": "the proxy says so"}
                _send(
                    handler, int(fault.kind), json.dumps({"error": error, "status": int(fault.kind)}).encode()
                )
                return
            elif "_bulk" in handler.path:
                self._bulk(handler, body)
                return
        status, answer = self._forward(handler, body)
        _send(handler, status, answer)

    def _forward(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, bytes]:
        headers = {
            name: value
            for name, value in handler.headers.items()
            if name.lower() not in ("host", "content-length", "connection", "accept-encoding")
        }
        answer = requests.request(
            handler.command, self._upstream + handler.path, data=body, headers=headers, timeout=30
        )
        return answer.status_code, answer.content

    def _bulk(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        lines = body.splitlines()
        # Each write is a line for the action and a line for the document.
        actions = [next(iter(json.loads(line).items())) for line in lines[::2]]
        kept = [
            line
            for (_, about), pair in zip(actions, zip(lines[::2], lines[1::2], strict=True), strict=True)
            if about["_id"] not in self.items
            for line in pair
        ]
        written: Iterator[Any] = iter(())
        if kept:
            _, answer = self._forward(handler, b"\n".join(kept) + b"\n")
            written = iter(json.loads(answer)["items"])
        items = []
        for kind, about in actions:
            error = self.items.get(about["_id"])
            if error is None:
                items.append(next(written))
            else:
                refused = {"_index": about["_index"], "_id": about["_id"], "status": error["status"]}
                items.append({kind: refused | {"error": {"type": error["type"], "reason": error["reason"]}}})
        _send(handler, 200, json.dumps({"took": 1, "errors": True, "items": items}).encode())


def _send(handler: BaseHTTPRequestHandler, status: int, body: bytes) -> None:
    try:
        handler.send_response(status)
        # The client does not accept an answer without this header.
        handler.send_header("X-Elastic-Product", "Elasticsearch")
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body)
    except ConnectionError:
        # The client did not wait any longer.
        handler.close_connection = True
