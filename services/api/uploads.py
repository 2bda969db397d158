"""Stream file uploads from multipart requests into the object store.

A file is never whole in memory or on this machine's disk.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from uuid import uuid4

from anyio import CapacityLimiter, from_thread, to_thread
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, MultipartState, parse_options_header
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from luna.energy.errors import LunaError
from luna.energy.refusals import refuse
from luna.platform.objects import ObjectStore

# Fits a small machine's disk and a worker's time limit: four gigabytes are ten thousand site-years
# of quarter-hours, more if compressed.
MAX_FILE_BYTES = 4_000_000_000
# Concurrent uploads.
MAX_UPLOADS = 16
MAX_FILES = 100
# Per form: a hundred manuals.
MAX_FORM_BYTES = 1_000_000_000
MAX_FIELD_BYTES = 10_000
MAX_FIELDS = 300
FILE_FIELD = "file"
# Fields before the file in a browser's form.
MAX_LEADING_BYTES = 16_384

Fields = dict[str, list[str]]


class PeekedBody:
    """ASGI ``receive`` whose first messages can be read ahead and are delivered again."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._peeked: deque[Message] = deque()

    async def __call__(self) -> Message:
        """Return the next message, those read ahead first."""
        return self._peeked.popleft() if self._peeked else await self._receive()

    async def peek_field(self, content_type: str, name: str) -> str | None:
        """Return a form's field that precedes the file, None without one.

        The body can still be read from its beginning.

        Raises:
            InvalidInputError: the body is no multipart form.
        """
        form = Form(content_type)
        size = 0
        ended = False
        while not ended and size < MAX_LEADING_BYTES:
            if name in form.fields or form.file_count:
                break
            message = await self._receive()
            self._peeked.append(message)
            piece = message.get("body", b"")
            form.take(piece)
            size += len(piece)
            ended = not message.get("more_body", False)
        return form.fields.get(name, [None])[-1]


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """An uploaded file in the object store, under a temporary key."""

    key: str
    name: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ReceivedForm:
    """The files and fields of a form.

    A field has a value for each time it was sent.
    """

    files: list[ReceivedFile]
    fields: Fields


class Uploads:
    """Stores uploads, at most ``MAX_UPLOADS`` at once.

    They have threads of their own, so that other requests keep theirs.
    """

    def __init__(self, open_store: Callable[[], ObjectStore]) -> None:
        self._open_store = open_store
        self._limiter = CapacityLimiter(MAX_UPLOADS)

    async def receive_one(
        self, request: Request, *, owner: str = ""
    ) -> tuple[ReceivedFile, Fields]:
        """Store the one file of a multipart form, as ``receive`` does.

        Return it and the form's fields.
        """
        form = await self.receive(request, most=1, most_bytes=MAX_FILE_BYTES, owner=owner)
        return form.files[0], form.fields

    async def receive(
        self, request: Request, *, most: int = MAX_FILES, most_bytes: int, owner: str = ""
    ) -> ReceivedForm:
        """Store the files of a multipart form.

        The caller removes them by ``forget_files``. ``owner`` prefixes their keys, before a random
        part.

        Raises:
            InvalidInputError: the form is malformed, it has no file or more than ``most``, or a
                file has more than ``most_bytes``; nothing is stored.
            UnavailableError: the object store is away, or ``MAX_UPLOADS`` are under way.
        """
        if self._limiter.available_tokens < 1:
            raise refuse("too-many-uploads", count=self._limiter.total_tokens)
        body = request.stream()
        # Wait for the first bytes here: an upload that sends nothing holds no thread.
        first = await anext(body, b"")

        def pieces() -> Iterator[bytes]:
            # The thread reads the body through the event loop; an empty piece is its end.
            yield first
            while piece := from_thread.run(anext, body, b""):
                yield piece

        def store() -> ReceivedForm:
            form = Form(request.headers.get("Content-Type", ""), most=most)
            objects = self._open_store()
            files: list[ReceivedFile] = []
            with ExitStack() as unwanted:
                for name, content in form.read_files(pieces()):
                    key = f"uploads/{owner}{uuid4().hex}"
                    counted = _Counted(content, name, most_bytes)
                    objects.put_stream(key, counted.pieces())
                    sha256 = counted.digest.hexdigest()
                    file = ReceivedFile(key, name, sha256, counted.size_bytes)
                    files.append(file)
                    unwanted.callback(forget_files, objects, [file])
                # A browser sends an empty file field as a file without name and content.
                received = [file for file in files if most == 1 or file.name or file.size_bytes]
                if not received:
                    raise refuse("form-without-file", field=FILE_FIELD)
                unwanted.pop_all()
            forget_files(objects, [file for file in files if file not in received])
            return ReceivedForm(received, form.fields)

        return await to_thread.run_sync(store, limiter=self._limiter)


def forget_files(objects: ObjectStore, files: Iterable[ReceivedFile]) -> None:
    """Remove uploaded files.

    Those left because the store is away are removed with old uploads.
    """
    for file in files:
        with suppress(LunaError):
            objects.remove(file.key)


class _Counted:
    """Passes content on, with its digest and size, and refuses more than ``most_bytes``."""

    def __init__(self, content: Iterator[bytes], name: str, most_bytes: int) -> None:
        self._content = content
        self._name = name
        self._most_bytes = most_bytes
        self.digest = hashlib.sha256()
        self.size_bytes = 0

    def pieces(self) -> Iterator[bytes]:
        for piece in self._content:
            self.digest.update(piece)
            self.size_bytes += len(piece)
            if self.size_bytes > self._most_bytes:
                raise refuse(
                    "document-too-large",
                    field=FILE_FIELD,
                    value=self._name[:200],
                    most=self._most_bytes,
                )
            yield piece


class Form:
    """Incremental parser of a multipart form: collects fields, streams files. Source: RFC 7578."""

    def __init__(self, content_type: str, *, most: int = MAX_FILES) -> None:
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise refuse("form-not-multipart", field="body", value=content_type[:100])
        self.fields: Fields = {}
        self.file_count = 0
        self._most = most
        # Of the current part.
        self._header = b""
        self._value = b""
        self._name = ""
        self._disposition = b""
        # Per file: its name, its bytes, None at its end.
        self._events: deque[str | bytes | None] = deque()
        try:
            self._parser = MultipartParser(
                options[b"boundary"],
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": self._take_header_name,
                    "on_header_value": self._take_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._name_part,
                    "on_part_data": self._take_data,
                    "on_part_end": self._end_part,
                },
            )
        except FormParserError as exc:
            raise refuse("form-malformed", field="body", why=exc) from exc

    def take(self, piece: bytes) -> None:
        """Parse the next piece of the body.

        Raises:
            InvalidInputError: the form is broken, or has too many files.
        """
        try:
            self._parser.write(piece)
        except FormParserError as exc:
            raise refuse("form-malformed", field="body", why=exc) from exc

    def read_files(self, body: Iterable[bytes]) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Yield the name and content of each file.

        The content has to be read before the next file.

        Raises:
            InvalidInputError: the form is broken, cut off, or has too many files.
        """
        events = self._follow(body)
        for event in events:
            if isinstance(event, str):
                yield event, _read_content(events)

    def _follow(self, body: Iterable[bytes]) -> Iterator[str | bytes | None]:
        try:
            for piece in body:
                self.take(piece)
                while self._events:
                    yield self._events.popleft()
        except ClientDisconnect as exc:
            raise refuse(
                "form-malformed", field="body", why="the connection ended before it was complete"
            ) from exc
        if self._parser.state != MultipartState.END:
            raise refuse("form-malformed", field="body", why="it is incomplete")

    def _begin_part(self) -> None:
        self._header = b""
        self._value = b""
        self._name = ""
        self._disposition = b""

    def _take_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _take_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = b""
        self._value = b""

    def _name_part(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        if "\ufffd" in self._name or "\x00" in self._name:
            raise refuse(
                "form-malformed",
                field="body",
                value=self._name.replace("\x00", "�")[:100],
                why="the name of a part is not text",
            )
        if self._name != FILE_FIELD:
            return
        self.file_count += 1
        if self.file_count > self._most:
            if self._most == 1:
                raise refuse("form-two-files", field=FILE_FIELD)
            raise refuse("document-form-too-many", field=FILE_FIELD, most=self._most)
        file_name = options.get(b"filename", b"file").decode("utf-8", "replace")
        self._events.append(file_name.replace("\x00", ""))

    def _take_data(self, data: bytes, start: int, end: int) -> None:
        if self._name == FILE_FIELD:
            self._events.append(data[start:end])
            return
        self._take_value(data, start, end)
        if len(self._value) > MAX_FIELD_BYTES:
            raise refuse(
                "form-field-too-long", field=self._name, bytes=MAX_FIELD_BYTES, part=FILE_FIELD
            )

    def _end_part(self) -> None:
        if self._name == FILE_FIELD:
            self._events.append(None)
            return
        text = self._value.decode("utf-8", "replace")
        if "\x00" in text:
            raise refuse("text-unusable", field=self._name)
        self.fields.setdefault(self._name, []).append(text)
        if sum(map(len, self.fields.values())) > MAX_FIELDS:
            raise refuse("form-too-many-fields", field=self._name, count=MAX_FIELDS)


def _read_content(events: Iterator[str | bytes | None]) -> Iterator[bytes]:
    for event in events:
        if not isinstance(event, bytes):
            return
        yield event
