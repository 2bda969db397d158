"""Store objects in a bucket of an S3 server.

Requests are plain S3 with the bucket in the path, which every such server understands.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self
from urllib.parse import urlsplit

from luna.energy.errors import LunaError, MachineError, NotFoundError, UnavailableError
from luna.platform.address_policy import OBJECTS, require_host
from luna.platform.objects.store import StoredObject, check_key, copy_to, full, keep_none, missing

if TYPE_CHECKING:
    from obstore.store import S3Credential, S3Store


_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w+)</Code>")
_FULL = {"XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "QuotaExceeded"}
# obstore's words for an answer without the headers of an S3 server.
_FOREIGN = "Unable to extract metadata"
_WRONG_REGION = "incorrectly configured region"
# Per code: the setting to look at, what is wrong, and what to do.
_REFUSALS = {
    "NoSuchBucket": (
        "bucket",
        "the S3 server has no such bucket",
        "Create it there, or name one that exists.",
    ),
    "InvalidBucketName": (
        "bucket",
        "this is no bucket's name",
        "Name one in lower-case letters, digits and hyphens.",
    ),
    "InvalidAccessKeyId": (
        "access_key",
        "the S3 server does not know this user",
        "Name a user of that server.",
    ),
    "SignatureDoesNotMatch": (
        "secret_key",
        "the S3 server takes another password for this user",
        "Set the password that the server was given.",
    ),
    "AuthorizationHeaderMalformed": (
        "region",
        "the S3 server is in another region",
        "Name the server's region.",
    ),
    "PermanentRedirect": (
        "region",
        "the bucket is in another region",
        "Name the bucket's region and its address.",
    ),
    "RequestTimeTooSkewed": (
        "url",
        "the S3 server's clock differs from this machine's",
        "Set both clocks.",
    ),
}
_DENIED = (
    "access_key",
    "the S3 server refuses this user",
    "Give that user the right to read, write and list the bucket; check its password.",
)
_NO_S3 = (
    "url",
    "what answers here is no S3 server",
    "Give the address of the server's S3 interface, not that of its console.",
)


@dataclass(frozen=True)
class Address:
    """The parts of a store's address that may be shown: everything but the password."""

    url: str
    bucket: str
    access_key: str
    region: str


def translate(answer: str, address: Address, key: str) -> LunaError:
    """Return the error of an answer about ``key``.

    It repeats only codes of the answer, so it holds no secret.
    """
    status = _find(_STATUS, answer)
    code = _find(_CODE, answer)
    if status == "507" or code in _FULL:
        return full(f"bucket {address.bucket} at {address.url}")
    if code == "NoSuchKey":
        return missing(key)
    if status.startswith("5") or status == "429":
        return away(address, f"it answers {status}")
    if _WRONG_REGION in answer:
        return _refusal(status, "PermanentRedirect", address)
    if answer and not status and _FOREIGN not in answer:
        return away(address, "it does not answer")
    return _refusal(status, code, address)


def away(address: Address, reason: str) -> UnavailableError:
    """Return the error about a server that does not answer for now."""
    remedy = "Try again later; see that the server runs and can be reached."
    return UnavailableError(
        f"the S3 server is away: {reason}",
        field="LUNA_OBJECTS_URL",
        value=address.url,
        remedy=remedy,
    )


def _refusal(status: str, code: str, address: Address) -> MachineError:
    unknown = "url", f"the S3 server refuses the request with {code}", "See the server's log."
    if code in _REFUSALS:
        name, message, remedy = _REFUSALS[code]
    elif status in {"401", "403"}:
        name, message, remedy = _DENIED
    elif code:
        name, message, remedy = unknown
    else:
        name, message, remedy = _NO_S3
    # The password is no part of an address, so it is not shown.
    return MachineError(
        message,
        field=f"LUNA_OBJECTS_{name.upper()}",
        value=getattr(address, name, None),
        remedy=remedy,
    )


def _find(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match.group(1) if match else ""


ABSENT = "probe/absent"
# A server that is away is noticed within five seconds: one of retries, and four for the last try.
PATIENCE = timedelta(seconds=4)
_RETRIES_END = timedelta(seconds=1)
_CONNECT_TIMEOUT = timedelta(seconds=1.5)
_LONGEST_TRANSFER = timedelta(minutes=10)
_SLOWEST_BYTES_PER_SECOND = 125_000
_PROBE_SECONDS = 15
# Ten thousand parts are allowed: eighty gigabytes. Two of them wait in memory.
_PART_BYTES = 8_000_000
_PARTS_AT_ONCE = 2


@dataclass(frozen=True)
class S3Objects:
    """An ``ObjectStore`` in one bucket.

    obstore's threads belong to the process that first asked a server: a store may be made anywhere,
    but it is to be used after the last fork. ``probe`` may be used before.

    Raises:
        MachineError: ``url`` is no address of a server.
    """

    url: str
    bucket: str
    access_key: str
    secret_key: str = field(repr=False)
    region: str

    _client_pid: ClassVar[int | None] = None

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        except ValueError:
            usable = False
        remedy = "Write it as http://minio:9000."
        if usable and (parts.username or parts.password):
            raise MachineError(
                "the S3 server's address holds credentials",
                field="LUNA_OBJECTS_URL",
                remedy=f"{remedy} User and password have settings of their own.",
            )
        if usable:
            # The library resolves a name by itself; only a literal address can be checked here.
            require_host(OBJECTS, parts.hostname or "", field="LUNA_OBJECTS_URL")
        if not usable or parts.path not in {"", "/"} or parts.query or parts.fragment:
            raise MachineError(
                "this is no address of an S3 server",
                field="LUNA_OBJECTS_URL",
                value=self.url,
                remedy=remedy,
            )

    def put(self, key: str, content: bytes) -> None:
        """Store ``content`` with one request, so that it is there whole or not at all."""
        name = check_key(key)
        patience = PATIENCE + timedelta(seconds=len(content) / _SLOWEST_BYTES_PER_SECOND)
        with self._asking(name):
            from obstore import put

            put(self.connect(patience), name, content, use_multipart=False)

    def get(self, key: str) -> bytes:
        """Return what is stored under ``key``."""
        name = check_key(key)
        with self._asking(name):
            from obstore import get

            return bytes(get(self._bucket, name).bytes())

    def put_stream(self, key: str, pieces: Iterable[bytes]) -> None:
        """Store the joined ``pieces`` in parts.

        The server shows the object once all of them are there.
        """
        name = check_key(key)
        source = _Source(pieces)
        # Fails soon where the server is away: the time-out of a part is much longer.
        with suppress(NotFoundError):
            self.get(ABSENT)
        patience = PATIENCE + timedelta(seconds=_PART_BYTES / _SLOWEST_BYTES_PER_SECOND)
        try:
            with self._asking(name):
                from obstore import put

                put(
                    self.connect(patience),
                    name,
                    source,
                    use_multipart=True,
                    chunk_size=_PART_BYTES,
                    max_concurrency=_PARTS_AT_ONCE,
                )
        except LunaError:
            if source.failure is not None:
                raise source.failure from None
            raise

    def fetch(self, key: str, path: Path) -> None:
        """Write what is stored under ``key`` to ``path`` as it comes in."""
        name = check_key(key)
        with self._asking(name):
            from obstore import get

            copy_to(path, (bytes(piece) for piece in get(self._bucket, name).stream()))

    def move(self, key: str, target: str) -> None:
        """Have the server copy the object, then delete the first one."""
        name = check_key(key)
        place = check_key(target)
        with self._asking(name):
            from obstore import copy, delete

            copy(self._bucket, name, place)
            delete(self._bucket, name)

    def remove(self, key: str) -> None:
        """Delete the object; the server says the same where there is none."""
        name = check_key(key)
        with self._asking(name):
            from obstore import delete

            delete(self._bucket, name)

    def remove_older(
        self, folder: str, before: datetime, *, keep: Callable[[str], bool] = keep_none
    ) -> int:
        """Delete the older objects, by the server's time of storage."""
        name = check_key(folder)
        with self._asking(name):
            from obstore import delete, list  # noqa: A004 - obstore's name

            old_keys = []
            for batch in list(self._bucket, f"{name}/"):
                aged = [entry["path"] for entry in batch if entry["last_modified"] < before]
                old_keys += [key for key in aged if not keep(key)]
            if old_keys:
                delete(self._bucket, old_keys)
            return len(old_keys)

    def list_all(self) -> list[StoredObject]:
        """Return what the bucket lists."""
        with self._asking("objects"):
            from obstore import list  # noqa: A004 - obstore's name

            objects = []
            for batch in list(self._bucket):
                for entry in batch:
                    stored = StoredObject(entry["path"], entry["size"], entry["last_modified"])
                    objects.append(stored)
        return sorted(objects, key=lambda entry: entry.key)

    def probe(self) -> str:
        """Return the bucket's address once address, bucket and credentials proved right.

        Another process asks the server, because the caller's may fork later.
        """
        command = [sys.executable, "-m", "luna.platform.objects.s3_probe"]
        try:
            result = subprocess.run(
                command,
                input=json.dumps(asdict(self)),
                capture_output=True,
                text=True,
                timeout=_PROBE_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as exc:
            raise away(self.address, "this machine is too busy to ask") from exc
        if result.returncode:
            reason = (result.stderr.strip() or "no reason given").splitlines()[-1]
            raise MachineError(
                f"the S3 server cannot be asked: {reason}",
                field="objects",
                remedy="Install what this service needs: its extra.",
            )
        answer = result.stdout
        error = translate(answer, self.address, ABSENT)
        if not isinstance(error, NotFoundError):
            raise error
        return f"{self.url}/{self.bucket}"

    @property
    def address(self) -> Address:
        """Return the parts of this store's address that may be shown."""
        return Address(self.url, self.bucket, self.access_key, self.region)

    def connect(self, patience: timedelta = PATIENCE) -> "S3Store":
        """Return obstore's client of the bucket; ``patience`` is the longest silence."""
        from obstore.store import S3Store

        return S3Store(
            self.bucket,
            # Everything that AWS's own variables in the environment would otherwise decide.
            aws_endpoint_url_s3=self.url,
            region=self.region,
            skip_signature=False,
            virtual_hosted_style_request=False,
            s3_express=False,
            credential_provider=partial(_credential, self.access_key, self.secret_key),
            client_options={
                "allow_http": True,
                "connect_timeout": _CONNECT_TIMEOUT,
                "read_timeout": patience,
                "timeout": _LONGEST_TRANSFER,
            },
            retry_config={
                "max_retries": 2,
                "retry_timeout": _RETRIES_END,
                "backoff": {"init_backoff": timedelta(milliseconds=100)},
            },
        )

    @cached_property
    def _bucket(self) -> "S3Store":
        return self.connect()

    @contextmanager
    def _asking(self, key: str) -> Iterator[None]:
        try:
            from obstore.exceptions import BaseError
        except ImportError as exc:
            remedy = (
                "Ask a service that has it (ingest, forecaster, agent, rag), or install their "
                "extra."
            )
            raise MachineError(
                "what speaks to S3 servers is not installed here",
                field="objects",
                value="obstore",
                remedy=remedy,
            ) from exc
        # A forked process lacks obstore's threads: its call would wait for ever.
        if S3Objects._client_pid not in (None, os.getpid()):
            raise LunaError(
                "the S3 server was asked before this process was forked",
                field="objects",
                remedy="Use put and get after the last fork only.",
            )
        S3Objects._client_pid = os.getpid()
        try:
            yield
        except (BaseError, OSError) as exc:
            raise translate(str(exc), self.address, key) from exc


class _Source:
    """Passes pieces on, and keeps the error that ended them: obstore would report its text only."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self.failure: Exception | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._pieces)
        except StopIteration:
            raise
        except Exception as exc:
            self.failure = exc
            raise


def _credential(access_key: str, secret_key: str) -> "S3Credential":
    return {
        "access_key_id": access_key,
        "secret_access_key": secret_key,
        "token": None,
        "expires_at": None,
    }
