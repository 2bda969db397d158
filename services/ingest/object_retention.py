"""Retention of objects: uploads, models and archived logs.

Logs longer than Loki keeps them, a compressed object for each day; files whose load failed; and
models that no training names, left by a crash between model and row, or by a site that was removed.
"""

import json
import zlib
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import httpx
import structlog

from luna.contracts.job import ArchiveLogsReply
from luna.energy.errors import LunaError, NotFoundError, UnavailableError
from luna.platform.objects import ObjectStore

LOG_FOLDER = "logs"
# Label that the collector gives each line of this project.
SELECTOR = '{job="luna"}'
# Loki keeps fourteen days; lines that waited for it may come half a day late.
REACHED_BACK_DAYS = 13
COMPLETE_AFTER = timedelta(hours=13)
# Loki's own bound of an answer.
PAGE_LINES = 5_000
TIMEOUT_SECONDS = 30.0
_NANOSECONDS = 10**9
_GZIP = 16 + zlib.MAX_WBITS
# Where models lie, each under the digest of its content, with what is told of it beside. Source:
# their artefact modules in forecaster and agent.
MODEL_FOLDERS = ("aurora", "agent")
# A file whose load failed may be loaded again for so long, once what was missing is there.
UPLOAD_RETENTION = timedelta(days=7)
# A model is stored before the row that names it; the longest training ends within hours.
UNNAMED_RETENTION = timedelta(days=7)

log = structlog.get_logger("luna.ingest")


@dataclass(frozen=True, slots=True, order=True)
class LogLine:
    """A log line, its instant in nanoseconds since 1970, and its stream's labels as JSON."""

    at: int
    labels: str
    line: str

    def encode(self) -> bytes:
        """Return the line as the archive holds it."""
        return (
            json.dumps(
                {"at": self.at, "labels": json.loads(self.labels), "line": self.line},
                ensure_ascii=False,
            ).encode()
            + b"\n"
        )


def archive_logs(
    objects: ObjectStore,
    client: httpx.Client,
    *,
    keep: timedelta,
    now: datetime,
    page_lines: int = PAGE_LINES,
) -> ArchiveLogsReply:
    """Archive the lines of complete UTC days, and delete days older than ``keep``.

    Loki away is no fault of this work: the days wait for the next look.

    Args:
        objects: takes the days.
        client: at Loki's address.
        keep: age at which stored days go.
        now: the instant of the look.
        page_lines: lines per request.

    Raises:
        UnavailableError, MachineError: of the store of objects.
    """
    forgotten = objects.remove_older(LOG_FOLDER, now - keep)
    archived: dict[date, int] = {}
    try:
        last = (now - COMPLETE_AFTER).astimezone(UTC).date() - timedelta(days=1)
        first = now.astimezone(UTC).date() - timedelta(days=REACHED_BACK_DAYS)
        for day in (first + timedelta(days=number) for number in range((last - first).days + 1)):
            with suppress(NotFoundError):
                objects.get(f"{LOG_FOLDER}/{day}.json")
                continue
            counted = _Packing()
            objects.put_stream(
                f"{LOG_FOLDER}/{day}.ndjson.gz", counted.pack(_read_day(client, day, page_lines))
            )
            # The note that the day is whole comes last.
            objects.put(
                f"{LOG_FOLDER}/{day}.json",
                json.dumps({"day": str(day), "lines": counted.lines}).encode(),
            )
            archived[day] = counted.lines
    except httpx.HTTPError as exc:
        log.warning(
            "logs are archived later, Loki does not answer", error=str(exc) or type(exc).__name__
        )
    except UnavailableError as error:
        log.warning("logs are archived later", error=str(error))
    return ArchiveLogsReply(archived=archived, forgotten=forgotten)


class _Packing:
    def __init__(self) -> None:
        self.lines = 0

    def pack(self, lines: Iterator[LogLine]) -> Iterator[bytes]:
        packer = zlib.compressobj(wbits=_GZIP)
        for line in lines:
            self.lines += 1
            if piece := packer.compress(line.encode()):
                yield piece
        yield packer.flush()


def _read_day(client: httpx.Client, day: date, page_lines: int) -> Iterator[LogLine]:
    """Yield a day's lines in the order of their instants, page by page.

    A page may end among lines of one instant: the next one begins there, and lines of the page
    before are skipped.
    """
    start = int(datetime.combine(day, time(), UTC).timestamp()) * _NANOSECONDS
    end = start + 24 * 3600 * _NANOSECONDS
    previous: set[LogLine] = set()
    while True:
        query: dict[str, str | int] = {
            "query": SELECTOR,
            "start": start,
            "end": end,
            "limit": page_lines,
            "direction": "forward",
        }
        reply = client.get("/loki/api/v1/query_range", params=query).raise_for_status()
        page = []
        for stream in reply.json()["data"]["result"]:
            labels = json.dumps(stream["stream"], sort_keys=True)
            for at, line in stream["values"]:
                page.append(LogLine(int(at), labels, line))
        page.sort()
        fresh = [line for line in page if line not in previous]
        yield from fresh
        if len(page) < page_lines:
            return
        last = page[-1].at
        # More lines of one instant than a page holds cannot be told apart from it.
        start = last if fresh else last + 1
        previous = {line for line in page if line.at == last}


def forget_old_uploads(objects: ObjectStore, *, now: datetime) -> None:
    """Remove files that nobody tried to load again for a week."""
    try:
        removed = objects.remove_older("uploads", now - UPLOAD_RETENTION)
    except LunaError as error:
        log.warning("old uploads stay for now", reason=str(error))
    else:
        log.info("old uploads removed", removed=removed)


def forget_unnamed_models(objects: ObjectStore, named: AbstractSet[str], *, now: datetime) -> None:
    """Remove models that no training has named for a week, with their other files.

    If the store is away, the next run tries again.

    Args:
        objects: the store.
        named: keys that trainings name.
        now: the instant of the run.
    """
    digests = {_digest(key) for key in named}

    def is_named(key: str) -> bool:
        return _digest(key) in digests

    removed = 0
    try:
        for folder in MODEL_FOLDERS:
            removed += objects.remove_older(folder, now - UNNAMED_RETENTION, keep=is_named)
    except LunaError as error:
        log.warning("models without a training stay for now", reason=str(error))
    else:
        log.info("models without a training removed", removed=removed)


def _digest(key: str) -> str:
    """Return a model key's folder and digest, which its other files share."""
    folder, _, name = key.rpartition("/")
    return f"{folder}/{name.partition('.')[0]}"
