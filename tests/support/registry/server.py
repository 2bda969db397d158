"""A registry of images on 127.0.0.1 that speaks as much of the OCI distribution API as reading a
digest takes, and fails as asked.
"""

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class ImageRegistry:
    """``images``: manifests by ``repository:tag``; ``faults``: statuses by ``repository:tag``.

    Attributes:
        asks_token: whether it wants a token, which it gives out itself.
        names_digest: whether it says a manifest's digest.
        requests: method and path of every request.
    """

    def __init__(self) -> None:
        self.images: dict[str, bytes] = {}
        self.faults: dict[str, int] = {}
        self.asks_token = False
        self.names_digest = True
        self.requests: list[str] = []
        self.port = 0

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def push(self, name: str, content: str) -> str:
        """Put an image of several platforms under ``repository:tag``, and return its digest."""
        manifest = json.dumps(
            {"mediaType": INDEX, "manifests": [{"digest": content, "platform": {"os": "linux"}}]}
        )
        self.images[name] = manifest.encode()
        return self.digest_of(name)

    def digest_of(self, name: str) -> str:
        return f"sha256:{hashlib.sha256(self.images[name]).hexdigest()}"

    def answer(self, path: str, headers: Mapping[str, str]) -> tuple[int, bytes, dict[str, str]]:
        """Return status, content and headers of the answer to a request."""
        address = urlsplit(path)
        if address.path == "/token":
            scope = parse_qs(address.query)["scope"][0]
            return 200, json.dumps({"token": f"for {scope}"}).encode(), {}
        repository, _, tag = address.path.removeprefix("/v2/").partition("/manifests/")
        if (
            self.asks_token
            and headers.get("Authorization") != f"Bearer for repository:{repository}:pull"
        ):
            realm = (
                "Bearer "
                f'realm="http://{self.host}/token",service="images",'
                f'scope="repository:{repository}:pull"'
            )
            return 401, b"{}", {"WWW-Authenticate": realm}
        name = f"{repository}:{tag}"
        if name in self.faults or name not in self.images:
            return self.faults.get(name, 404), b"{}", {}
        # One platform alone, where nobody says that an index will do.
        takes_index = INDEX in headers.get("Accept", "")
        content = self.images[name] if takes_index else b"of one platform"
        named = (
            {"Docker-Content-Digest": f"sha256:{hashlib.sha256(content).hexdigest()}"}
            if self.names_digest
            else {}
        )
        return 200, content, named | {"Content-Type": INDEX if takes_index else MANIFEST}


@contextmanager
def serve_registry() -> Iterator[ImageRegistry]:
    """Run a registry until the block ends."""
    registry = ImageRegistry()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            registry.requests.append(f"{self.command} {self.path}")
            status, content, headers = registry.answer(self.path, dict(self.headers))
            self.send_response(status)
            for header, value in headers.items():
                self.send_header(header, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    registry.port = server.server_address[1]
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
