"""Days of logs are stored before Loki forgets them."""

import gzip
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from luna.platform.objects import FileObjects
from services.ingest.object_retention import archive_logs

NOW = datetime(2026, 11, 22, 14, tzinfo=UTC)
KEEP = timedelta(days=400)
Entry = tuple[int, dict[str, str], str]


def at(day: int, seconds: float) -> int:
    return int((datetime(2026, 11, day, tzinfo=UTC).timestamp() + seconds) * 10**9)


def loki(entries: list[Entry], asked: list[str]) -> httpx.Client:
    """A server with Loki's answer to query_range: by stream, from ``start`` on, before ``end``,
    ``limit`` lines in all.
    """

    def answer(request: httpx.Request) -> httpx.Response:
        query = dict(request.url.params)
        asked.append(query["query"])
        found = sorted(
            (entry for entry in entries if int(query["start"]) <= entry[0] < int(query["end"])),
            key=lambda entry: entry[0],
        )[: int(query["limit"])]
        streams: dict[str, list[list[str]]] = {}
        for instant, labels, line in found:
            streams.setdefault(json.dumps(labels), []).append([str(instant), line])
        result = [
            {"stream": json.loads(labels), "values": values} for labels, values in streams.items()
        ]
        return httpx.Response(
            200, json={"status": "success", "data": {"resultType": "streams", "result": result}}
        )

    return httpx.Client(base_url="http://loki", transport=httpx.MockTransport(answer))


@pytest.fixture
def objects(tmp_path: Path) -> FileObjects:
    return FileObjects(tmp_path)


def stored(objects: FileObjects, day: str) -> list[dict[str, object]]:
    return [
        json.loads(line)
        for line in gzip.decompress(objects.get(f"logs/{day}.ndjson.gz")).splitlines()
    ]


def test_each_day_that_is_over_is_stored_once_with_every_line(objects: FileObjects) -> None:
    # 57 lines of two services; pages end among lines of one instant.
    entries: list[Entry] = [
        (
            at(20, number // 4),
            {"job": "luna", "service": ("api", "planner")[number % 2]},
            f"line {number}",
        )
        for number in range(57)
    ]
    asked: list[str] = []
    with loki([*entries, (at(22, 10), {"job": "luna"}, "of today")], asked) as client:
        reply = archive_logs(objects, client, keep=KEEP, now=NOW, page_lines=10)
        again = archive_logs(objects, client, keep=KEEP, now=NOW, page_lines=10)
    # Thirteen days back to yesterday; today is not over.
    assert (len(reply.archived), sum(reply.archived.values()), again.archived) == (13, 57, {})
    lines = stored(objects, "2026-11-20")
    assert Counter(line["line"] for line in lines) == Counter(entry[2] for entry in entries)
    assert [line["at"] for line in lines] == sorted(entry[0] for entry in entries)
    assert {str(line["labels"]) for line in lines} == {str(labels) for _, labels, _ in entries}
    assert set(asked) == {'{job="luna"}'}


def test_a_day_is_over_once_late_lines_may_have_come(objects: FileObjects) -> None:
    with loki([], []) as client:
        early = archive_logs(objects, client, keep=KEEP, now=datetime(2026, 11, 22, 12, tzinfo=UTC))
        later = archive_logs(
            objects, client, keep=KEEP, now=datetime(2026, 11, 22, 13, 1, tzinfo=UTC)
        )
    assert max(early.archived).isoformat() == "2026-11-20"
    assert [day.isoformat() for day in later.archived] == ["2026-11-21"]


def test_where_loki_is_away_days_wait_and_nothing_half_is_taken_for_whole(
    objects: FileObjects,
) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with httpx.Client(base_url="http://loki", transport=httpx.MockTransport(refuse)) as client:
        assert archive_logs(objects, client, keep=KEEP, now=NOW).archived == {}
    with loki([(at(20, 1), {"job": "luna"}, "found later")], []) as client:
        archive_logs(objects, client, keep=KEEP, now=NOW)
    assert [line["line"] for line in stored(objects, "2026-11-20")] == ["found later"]


def test_days_that_are_too_old_go(objects: FileObjects, tmp_path: Path) -> None:
    with loki([], []) as client:
        archive_logs(objects, client, keep=KEEP, now=NOW)
        assert (
            archive_logs(
                objects, client, keep=KEEP, now=datetime.now(UTC) + timedelta(days=401)
            ).forgotten
            == 26
        )
