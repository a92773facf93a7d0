"""A server and a proxy that speak TLS, which the fake YouTube does not."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue
from select import select
from socket import create_connection, socket

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_SECONDS = 10.0


def certificate(path: Path, name: str = "localhost") -> Path:
    """Writes a self-signed certificate for ``name`` and its key into one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.path.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Logs nothing."""


class _Tunnelling(_Answering):
    def do_CONNECT(self) -> None:
        assert isinstance(self.server, _Server)
        self.server.asked.append(self.path)
        host, _, port = self.path.partition(":")
        with create_connection((host, int(port)), timeout=_SECONDS) as there:
            self.send_response(200)
            self.end_headers()
            _carry(self.connection, there)
        self.server.ended.put(self.path)
        self.close_connection = True


def _carry(here: socket, there: socket) -> None:
    """Copies bytes in both directions until one side closes."""
    while ready := select([here, there], [], [], _SECONDS)[0]:
        for side in ready:
            content = side.recv(65536)
            if not content:
                return
            (there if side is here else here).sendall(content)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 100

    def __init__(self, handler: type[_Answering], pem: Path | None) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.url = f"{'http' if pem is None else 'https'}://localhost:{self.server_address[1]}"
        #: HOST:PORT of every tunnel that was asked for, and of those that have ended.
        self.asked: list[str] = []
        self.ended = SimpleQueue[str]()
        if pem is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pem)
            # The handshake is made in the thread of its connection, so that one failure ends no other one.
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, *_: object) -> None:
        """Logs nothing: in some tests the client refuses the certificate."""


@contextmanager
def _serving(server: _Server) -> Iterator[_Server]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(_SECONDS)


@contextmanager
def serving(pem: Path) -> Iterator[str]:
    """Yields the origin of a server. It answers each request with the request's path."""
    with _serving(_Server(_Answering, pem)) as server:
        yield server.url


@contextmanager
def tunnelling(pem: Path | None = None) -> Iterator[_Server]:
    """A proxy that answers CONNECT. With a certificate it speaks TLS itself."""
    with _serving(_Server(_Tunnelling, pem)) as server:
        yield server
