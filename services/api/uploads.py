"""Files that callers hand over, from the socket into the store of objects without lying in memory or on this machine's disk."""

import asyncio
import hashlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from uuid import uuid4

from anyio import CapacityLimiter, to_thread
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from luna.energy.errors import LunaError
from luna.energy.refusals import refuse
from luna.platform.objects import ObjectStore

# What fills neither a small machine's disk nor a worker's time limit: four gigabytes are ten thousand site-years of quarter-hours, packed well more.
MAX_FILE_BYTES = 4_000_000_000
MAX_FIELD_BYTES = 10_000
MAX_FIELDS = 300
FILE_FIELD = "file"
FormT = TypeVar("FormT")


# What stands before the file in a browser's form.
MAX_LEADING_BYTES = 16_384


class PeekedBody:
    """The messages of a request's body, whose beginning may be looked at before it is read."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._peeked: deque[Message] = deque()

    async def __call__(self) -> Message:
        """Return the next message."""
        return self._peeked.popleft() if self._peeked else await self._receive()

    async def peek_field(self, content_type: str, name: str) -> str | None:
        """Return a field of a multipart form that stands before its file, None where it has none there; all of the body can still be read.

        Raises:
            InvalidInputError: no such form.
        """
        form, size, ended = _LeadingForm(content_type), 0, False
        while name not in form.fields and form.file_name is None and size < MAX_LEADING_BYTES and not ended:
            message = await self._receive()
            self._peeked.append(message)
            piece = message.get("body", b"")
            form.take(piece)
            size, ended = size + len(piece), not message.get("more_body", False)
        return form.fields.get(name, [None])[-1]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that is stored, and the fields that came with it, each as often as it was given."""

    key: str
    name: str
    sha256: str
    fields: dict[str, list[str]]


async def receive_upload(request: Request, objects: ObjectStore, *, limiter: CapacityLimiter, owner: str = "") -> Upload:
    """Store the file of a multipart form, in one of the threads of ``limiter``; ``owner`` stands in its key before what nobody can guess.

    Raises:
        InvalidInputError: no such form, or it has no file; nothing is stored.
        UnavailableError: the store of objects is away, or so many files come in already.
    """
    return await take_form(request, partial(_store, objects=objects, owner=owner), limiter=limiter)


async def take_form(request: Request, store: Callable[[str, Iterator[bytes]], FormT], *, limiter: CapacityLimiter) -> FormT:
    """Return what ``store`` makes of the content type and the pieces of a body as they come in, in one of the threads of ``limiter``.

    Raises:
        UnavailableError: so many files come in already.
    """
    if limiter.available_tokens < 1:
        raise refuse("too-many-uploads", count=limiter.total_tokens)
    loop, body = asyncio.get_running_loop(), request.stream()
    # A body of which nothing comes holds no thread.
    first = await anext(body, b"")

    def pieces() -> Iterator[bytes]:
        # The form is read in a thread; what it waits for is the event loop's.
        yield first
        while piece := asyncio.run_coroutine_threadsafe(_next(body), loop).result():
            yield piece

    return await to_thread.run_sync(store, request.headers.get("Content-Type", ""), pieces(), limiter=limiter)


def _store(content_type: str, body: Iterable[bytes], *, objects: ObjectStore, owner: str) -> Upload:
    form, key = Form(content_type), f"uploads/{owner}{uuid4().hex}"
    digest = hashlib.sha256()
    objects.put_stream(key, _hashed(form.read(body), digest.update))
    if form.file_name is None:
        objects.remove(key)
        raise refuse("form-without-file", field=FILE_FIELD)
    return Upload(key, form.file_name, digest.hexdigest(), form.fields)


def _hashed(pieces: Iterator[bytes], update: Callable[[bytes], None]) -> Iterator[bytes]:
    for piece in pieces:
        update(piece)
        yield piece


def _next(body: AsyncIterator[bytes]) -> Coroutine[Any, Any, bytes]:
    async def read() -> bytes:
        # An empty piece is how the body says that it has ended.
        return await anext(body, b"")

    return read()


@dataclass
class _Part:
    """The part of a form that is just coming in."""

    header: bytes = b""
    headers: dict[str, bytes] = field(default_factory=dict)
    name: str = ""
    file_name: str | None = None
    value: bytes = b""


class Form:
    """A multipart form as it comes in: fields are kept, the file is passed on. Source: RFC 7578."""

    def __init__(self, content_type: str) -> None:
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise refuse("form-not-multipart", field="body", value=content_type[:100])
        self.fields: dict[str, list[str]] = {}
        self.file_name: str | None = None
        self._part = _Part()
        self._file: list[bytes] = []
        self._ended = False
        try:
            self._parser = MultipartParser(
                options[b"boundary"],
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": self._take_header_name,
                    "on_header_value": self._take_header_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._name_part,
                    "on_part_data": self._take_data,
                    "on_part_end": self._end_part,
                    "on_end": self._end,
                },
            )
        except FormParserError as exc:
            raise _malformed(exc) from exc

    def take(self, piece: bytes) -> None:
        """Take in what comes next.

        Raises:
            InvalidInputError: the form is broken.
        """
        try:
            self._parser.write(piece)
        except FormParserError as exc:
            raise _malformed(exc) from exc

    def read(self, body: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the file as it comes in.

        Raises:
            InvalidInputError: the form is broken, cut off, or has more than one file.
        """
        for _ in self.follow(body):
            yield from self._file
            self._file.clear()

    def follow(self, body: Iterable[bytes]) -> Iterator[None]:
        """Take in the body, and yield after each piece.

        Raises:
            InvalidInputError: the form is broken or cut off.
        """
        try:
            for piece in body:
                self.take(piece)
                yield
        except ClientDisconnect as exc:
            raise refuse("form-hung-up", field="body") from exc
        if not self._ended:
            raise refuse("form-cut-off", field="body")

    def _begin_part(self) -> None:
        self._part = _Part()

    def _take_header_name(self, data: bytes, start: int, end: int) -> None:
        self._part.header += data[start:end]

    def _take_header_value(self, data: bytes, start: int, end: int) -> None:
        self._part.value += data[start:end]

    def _end_header(self) -> None:
        # Bytes as they came: the parser of options takes no other text than latin-1.
        self._part.headers[self._part.header.decode("latin-1").lower()] = self._part.value
        self._part.header = self._part.value = b""

    def _name_part(self) -> None:
        _, options = parse_options_header(self._part.headers.get("content-disposition", b""))
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if "\ufffd" in name or "\x00" in name:
            raise refuse("form-part-name", field="body", value=name.replace("\x00", "�")[:100])
        self._part.name = name
        if self._part.name == FILE_FIELD:
            self.begin_file(options.get(b"filename", b"file").decode("utf-8", "replace").replace("\x00", ""))

    def begin_file(self, name: str) -> None:
        """Take note of a file that begins.

        Raises:
            InvalidInputError: there is one already.
        """
        if self.file_name is not None:
            raise refuse("form-two-files", field=FILE_FIELD)
        self.file_name = name[:200]

    def take_content(self, content: bytes) -> None:
        """Take in what comes next of the file."""
        self._file.append(content)

    def end_file(self) -> None:
        """Take note that the file has ended."""

    def _take_data(self, data: bytes, start: int, end: int) -> None:
        if self._part.name == FILE_FIELD:
            self.take_content(data[start:end])
            return
        self._part.value += data[start:end]
        if len(self._part.value) > MAX_FIELD_BYTES:
            raise refuse("form-field-too-long", field=self._part.name, bytes=MAX_FIELD_BYTES, part=FILE_FIELD)

    def _end_part(self) -> None:
        if self._part.name == FILE_FIELD:
            self.end_file()
            return
        text = self._part.value.decode("utf-8", "replace")
        if "\x00" in text:
            raise refuse("form-nul", field=self._part.name)
        self.fields.setdefault(self._part.name, []).append(text)
        if sum(map(len, self.fields.values())) > MAX_FIELDS:
            raise refuse("form-too-many-fields", field=self._part.name, count=MAX_FIELDS)

    def _end(self) -> None:
        self._ended = True


class _LeadingForm(Form):
    """The beginning of a form: of its files it knows that one has begun; how many there may be says who reads them."""

    def begin_file(self, name: str) -> None:
        self.file_name = name

    def take_content(self, content: bytes) -> None:
        pass


def _malformed(error: FormParserError) -> LunaError:
    return refuse("form-malformed", field="body", why=error)
