"""What Luna leaves in Redis, key by key: with ``outward`` the only place where recordings know
names within Luna.
"""

import json
import platform
import re
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import redis

from luna.contracts.health import BeatSign, NodeSign
from luna.contracts.job import Job, Progress
from luna.contracts.plan import PlanRequest
from luna.platform.clock import FixedClock
from luna.platform.embedded.supervisor import Servers
from luna.platform.health.readiness import Readiness
from luna.platform.queue import Client
from luna.platform.queue.app import create_worker, unacknowledged_by
from luna.platform.queue.heartbeats import EXECUTOR_TURN, LeaderLock, Node, present
from luna.platform.queue.services import SERVICES
from luna.platform.queue.task_monitor import SENT_AT
from luna.platform.queue.task_tracker import DeadTask, TaskTracker
from luna.platform.telemetry import log_context
from tests.support.recordings.shapes import describe_shape
from tests.support.worker.processes import luna_process
from tests.support.worker.workers import wait_for

Document = dict[str, Any]
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
TURN = timedelta(seconds=5)
LONG = timedelta(minutes=10)
REQUEST = PlanRequest(site_id="home", start=NOON)
# As long as what a slow machine needs between writing a key and asking for its age.
_NEAR_SECONDS = 5
_CHANCE = {
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}": "UUID",
    rf"{re.escape(platform.node())}-\d+-[0-9a-f]{{6}}": "HOST-PROCESS-CHANCE",
    # An instant of ours stays as it is written.
    r"(?!2024-01-01T12)\d{4}-\d\d-\d\dT[\d:.]+(\+00:00|Z)": "INSTANT",
}
# Celery's own: where a message comes from, and the id that it was given.
_PASSING = ("origin", "stack", "id", "root_id", "correlation_id")


@contextmanager
def open_queue(folder: Path) -> Iterator[str]:
    """Start a Redis of its own and yield its address."""
    with Servers(folder) as servers:
        servers.bring_up(("redis",))
        yield servers.redis_url


def queue_keys(url: str) -> Document:
    """Return what each thing that Luna says through Redis leaves there: keys, their kinds, how long
    they last in seconds, their contents.
    """
    steps = {
        "a request": _send_request,
        "a job": _ring,
        "a start": lambda client, _: TaskTracker(client).start("KEY", "TASK") and None,
        "progress": lambda client, _: TaskTracker(client).report(
            "TASK", Progress(done=1, total=2, label="half")
        ),
        "an end": lambda client, _: TaskTracker(client).end("KEY", "TASK"),
        "a dead task": lambda client, _: TaskTracker(client).dead_letter(
            DeadTask(
                task_id="TASK",
                task="planner.schedule.solve",
                key="KEY",
                starts=3,
                died_at=NOON,
                request="{}",
            )
        ),
        "a lead": lambda client, _: LeaderLock(client, "BEAT", turn=TURN).hold() and None,
        "beat's sign": lambda client, _: LeaderLock(client, "BEAT", turn=TURN).publish(
            BeatSign(
                version="1",
                started_at=NOON,
                name="BEAT",
                turned_at=NOON,
                turn=TURN,
                asked_at={"ingest.jobs.resend": NOON},
            )
        ),
        "a worker": _beat_once,
        "an outcome": _succeed,
    }
    with redis.Redis.from_url(url, decode_responses=True) as client:
        found: Document = {
            "held by a worker": {
                option: f"luna:{key}" for option, key in unacknowledged_by("NODE").items()
            }
        }
        for name, step in steps.items():
            client.flushdb()
            step(client, url)
            found[name] = _read_all(client)
        return found | {
            name: _read_presence(client, shown) for name, shown in _presences(url).items()
        }


def _send_request(_client: "redis.Redis", url: str) -> None:
    queue = Client(url)
    with log_context(trace_id="TRACE-ID"):
        queue.submit(REQUEST, expires=LONG)
    queue.close()


def _ring(_client: "redis.Redis", url: str) -> None:
    job = Job(
        job_id="JOB",
        task=REQUEST.task,
        key="KEY",
        status="queued",
        attempts=0,
        submitted_at=NOON,
        request={},
        trace_id="TRACE-ID",
    )
    queue = Client(url)
    queue.notify_job(job)
    queue.close()


def _beat_once(_client: "redis.Redis", url: str) -> None:
    _stand_in(url, TURN)


def _stand_in(url: str, beat: timedelta) -> None:
    """Give one sign of a worker that serves every queue."""
    app = create_worker(url, node="NODE")
    queues = dict.fromkeys(SERVICES, ("database", "redis"))
    Node(
        app, "NODE", lambda: NodeSign(version="1", started_at=NOON, queues=queues), beat=beat
    ).beat()
    app.close()


def _succeed(_client: "redis.Redis", url: str) -> None:
    app = create_worker(url, node="NODE")
    app.backend.store_result("TASK", "{}", "SUCCESS")
    app.close()


def _presences(url: str) -> Document:
    readiness = Readiness({})
    clock = FixedClock(NOON)
    return {
        "a recorder": present(url, readiness, turn=TURN, clock=clock),
        "an executor": present(
            url,
            readiness,
            role="executor",
            list_sites=lambda: (),
            turn=EXECUTOR_TURN,
            clock=clock,
        ),
    }


def _read_presence(client: "redis.Redis", shown: Any) -> Document:
    client.flushdb()
    with shown:
        wait_for(lambda: bool(client.keys()))
        return _read_all(client)


def _read_all(client: "redis.Redis") -> Document:
    # Which queues there are, the transport notes once for all messages of a process.
    return {
        _without_chance(key): _read_key(client, key)
        for key in sorted(client.scan_iter())
        if "_kombu.binding" not in key
    }


def _read_key(client: Any, key: str) -> Document:
    kind = client.type(key)
    read = {
        "string": client.get,
        "hash": client.hgetall,
        "set": lambda key: sorted(client.smembers(key)),
        "list": lambda key: client.lrange(key, 0, -1),
    }
    seconds = client.pttl(key) / 1000
    lasts = "for ever" if seconds < 0 else round(seconds / _NEAR_SECONDS) * _NEAR_SECONDS
    return {"kind": kind, "lasts": lasts, "holds": _open(read[kind](key))}


def _open(value: Any) -> Any:
    """Return contents with JSON within text opened, and without what chance makes of them."""
    if isinstance(value, dict):
        value = value | ({SENT_AT: "INSTANT"} if SENT_AT in value else {})
        return {
            name: _open(_decode_body(value) if name == "body" else each)
            for name, each in value.items()
            if name not in _PASSING
        }
    if isinstance(value, list):
        return [_open(each) for each in value]
    if isinstance(value, str) and value[:1] in ("{", "["):
        return _open(json.loads(value))
    return _without_chance(value) if isinstance(value, str) else value


def _decode_body(message: Document) -> Any:
    return json.loads(b64decode(message["body"]))


def _without_chance(text: str) -> str:
    for pattern, name in _CHANCE.items():
        text = re.sub(pattern, name, text)
    return text


def beat_schedule(url: str) -> Document:
    """Return what a beat asks for while every queue is served: task by task its message, and how
    many seconds lie between two.
    """
    _stand_in(url, LONG)
    queue = Client(url)
    with luna_process(
        "luna.platform.queue.beat", redis_url=url, database_url="postgresql://luna@127.0.0.1:9/none"
    ):
        wait_for(lambda: queue.heartbeats.beat() is not None)
        sign = queue.heartbeats.beat()
    queue.close()
    asked_at = sign.asked_at if sign else {}
    with redis.Redis.from_url(url, decode_responses=True) as client:
        messages = [
            json.loads(text) for name in SERVICES for text in client.lrange(f"luna:{name}", 0, -1)
        ]
    return {message["headers"]["task"]: _describe_due(message, asked_at) for message in messages}


def _describe_due(message: Document, asked_at: dict[str, datetime]) -> Document:
    kept = (
        datetime.fromisoformat(message["headers"]["expires"]) - asked_at[message["headers"]["task"]]
    )
    # A message that nobody takes expires when nine tenths of the time to the next one have passed.
    return {
        "every_seconds": round(kept.total_seconds() / 9) * 10,
        "request": _decode_body(message)[0][0],
        "names": describe_shape(_decode_body(message)[1]),
    }
