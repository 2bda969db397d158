"""S3 servers for tests: a real implementation that checks every signature, and one that answers as
it is told.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

import httpx

from luna.platform.objects import S3Objects
from tests.support.worker.processes import free_port

# An S3 server on which the contract is held as well: http://user:password@host:port/bucket.
OUTSIDE_VARIABLE = "LUNA_TEST_OBJECTS_URL"
OUTSIDE = os.environ.get(OUTSIDE_VARIABLE)
BUCKET = "luna"
PASSWORD = "do-not-tell-anyone"
REGION = "us-east-1"
START_SECONDS = 60
# What moto lets pass before it asks for credentials: the requests that `_furnish` makes, and the
# one that finds it awake.
UNSIGNED_REQUESTS = 4
RIGHTS = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": '
    '"*"}]}'
)


@contextmanager
def run_moto(log: Path) -> Iterator[S3Objects]:
    """Run moto's server with one bucket and one user; yield the store in it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    environment = os.environ | {"INITIAL_NO_AUTH_ACTION_COUNT": str(UNSIGNED_REQUESTS)}
    with (
        log.open("w") as output,
        subprocess.Popen(command, stdout=output, stderr=output, env=environment) as process,
    ):
        try:
            _wait(url, log)
            yield _furnish(url)
        finally:
            process.terminate()


def open_server(url: str) -> S3Objects:
    """Return the store in the bucket of the server at ``url``."""
    return S3Objects(url, BUCKET, "luna", PASSWORD, REGION)


def open_outside(address: str) -> S3Objects:
    """Return the store that an address like ``OUTSIDE`` names."""
    parts = urlsplit(address)
    user = unquote(parts.username or "")
    password = unquote(parts.password or "")
    return S3Objects(
        f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}",
        parts.path.strip("/"),
        user,
        password,
        REGION,
    )


@contextmanager
def answer_with(status: int, body: bytes = b"") -> Iterator[str]:
    """Run a server that gives every request the same answer; yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        # The names http.server looks for.
        do_GET = do_PUT = do_POST = do_DELETE = answer  # noqa: N815

        def log_message(self, *_words: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def session_silent() -> Iterator[str]:
    """Take connections and never answer; yield the address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def refusal(code: str) -> bytes:
    """Return the body that an S3 server sends with an error."""
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>".encode()


def add_bucket(objects: S3Objects, name: str) -> S3Objects:
    """Make another bucket on the server of a store, and return the store in it."""
    import boto3

    own = {"aws_access_key_id": objects.access_key, "aws_secret_access_key": objects.secret_key}
    boto3.client("s3", endpoint_url=objects.url, region_name=REGION, **own).create_bucket(
        Bucket=name
    )
    return replace(objects, bucket=name)


def _wait(url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            httpx.get(f"{url}/moto-api/")
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"moto did not start: {log.read_text()[-500:]}")


def _furnish(url: str) -> S3Objects:
    import boto3

    unsigned = {
        "endpoint_url": url,
        "region_name": REGION,
        "aws_access_key_id": "nobody",
        "aws_secret_access_key": "nothing",
    }
    boto3.client("s3", **unsigned).create_bucket(Bucket=BUCKET)
    users = boto3.client("iam", **unsigned)
    users.create_user(UserName="luna")
    users.put_user_policy(UserName="luna", PolicyName="objects", PolicyDocument=RIGHTS)
    key = users.create_access_key(UserName="luna")["AccessKey"]
    return S3Objects(url, BUCKET, key["AccessKeyId"], key["SecretAccessKey"], REGION)
