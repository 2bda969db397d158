"""Documents that callers hand over, several in one form, from the socket into the store of objects."""

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

from anyio import CapacityLimiter
from starlette.requests import Request

from luna.energy.errors import LunaError
from luna.energy.refusals import refuse
from luna.platform.objects import ObjectStore
from services.api.uploads import FILE_FIELD, Form, take_form

MAX_FILES = 100
# Of one form: a hundred manuals; files with many more go in several forms.
MAX_FORM_BYTES = 1_000_000_000


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file that came in, under a key of its own until it is known to be wanted."""

    key: str
    name: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ReceivedForm:
    """The files of a form, and the fields that came with them."""

    files: list[ReceivedFile]
    fields: dict[str, list[str]]


async def receive_files(request: Request, objects: ObjectStore, *, limiter: CapacityLimiter, most_bytes: int) -> ReceivedForm:
    """Store the files of a multipart form, in one of the threads of ``limiter``; the caller forgets them.

    Raises:
        InvalidInputError: no such form, it has no file or too many, or one has more than ``most_bytes``; nothing is stored.
        UnavailableError: the store of objects is away, or so many files come in already.
    """
    return await take_form(request, partial(_store_all, objects=objects, most_bytes=most_bytes), limiter=limiter)


def forget_files(objects: ObjectStore, files: Iterable[ReceivedFile]) -> None:
    """Remove files that came in; what stays because the store is away is removed with old uploads."""
    for file in files:
        with suppress(LunaError):
            objects.remove(file.key)


def _store_all(content_type: str, body: Iterator[bytes], *, objects: ObjectStore, most_bytes: int) -> ReceivedForm:
    form, files = _FilesForm(content_type), list[ReceivedFile]()
    with ExitStack() as unwanted:
        for name, content in form.read_files(body):
            key, counted = f"uploads/{uuid4().hex}", _Counted(content, name, most_bytes)
            objects.put_stream(key, counted.pieces())
            files.append(ReceivedFile(key, name, counted.digest.hexdigest(), counted.size_bytes))
            unwanted.callback(forget_files, objects, files[-1:])
        received = [file for file in files if file.name or file.size_bytes]
        if not received:
            raise refuse("document-form-without-file", field=FILE_FIELD)
        unwanted.pop_all()
    # A page's form whose field is left empty sends a file without name and content.
    forget_files(objects, [file for file in files if file not in received])
    return ReceivedForm(received, form.fields)


class _Counted:
    """Passes content on, measures it on the way, and refuses more than is taken."""

    def __init__(self, content: Iterator[bytes], name: str, most_bytes: int) -> None:
        self._content, self._name, self._most_bytes = content, name, most_bytes
        self.digest, self.size_bytes = hashlib.sha256(), 0

    def pieces(self) -> Iterator[bytes]:
        for piece in self._content:
            self.digest.update(piece)
            self.size_bytes += len(piece)
            if self.size_bytes > self._most_bytes:
                raise refuse("document-too-large", field=FILE_FIELD, value=self._name[:200], most=self._most_bytes)
            yield piece


class _FilesForm(Form):
    """A form of several files, each passed on as it comes in."""

    def __init__(self, content_type: str) -> None:
        super().__init__(content_type)
        # A name where a file begins, its bytes, None where it ends.
        self._events: deque[str | bytes | None] = deque()
        self._files = 0

    def begin_file(self, name: str) -> None:
        self._files += 1
        if self._files > MAX_FILES:
            raise refuse("document-form-too-many", field=FILE_FIELD, most=MAX_FILES)
        self._events.append(name)

    def take_content(self, content: bytes) -> None:
        self._events.append(content)

    def end_file(self) -> None:
        self._events.append(None)

    def read_files(self, body: Iterable[bytes]) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Yield each file's name and content, which is read before the next one.

        Raises:
            InvalidInputError: the form is broken, cut off, or has too many files.
        """
        events = (self._events.popleft() for _ in self.follow(body) for _ in range(len(self._events)))
        for event in events:
            if isinstance(event, str):
                yield event, _content(events)


def _content(events: Iterator[str | bytes | None]) -> Iterator[bytes]:
    for event in events:
        if not isinstance(event, bytes):
            return
        yield event
