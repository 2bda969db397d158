"""Beat: ``python -m luna.platform.queue.beat`` asks for what is due by the clock.

Exactly one leads; any other waits to take over.
"""

import argparse
import os
import platform
import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

import redis
import structlog
from celery import Celery, schedules
from celery.beat import ScheduleEntry
from celery.beat import Scheduler as CeleryScheduler
from prometheus_client import Counter, Gauge
from sqlalchemy import Connection

from luna.contracts import RefreshRollupsRequest, ResendRequest
from luna.contracts.data import FetchLimitsRequest
from luna.contracts.fleet import FollowChangesRequest
from luna.contracts.health import BeatSign
from luna.contracts.message import Request
from luna.contracts.tasks import list_periodic
from luna.energy.errors import UnavailableError
from luna.platform.clock import Clock, SystemClock
from luna.platform.database import control, engine, jobs, plan_causes, rollups
from luna.platform.database.engine import unit_of_work
from luna.platform.health.probes import PATIENCE
from luna.platform.queue.client import Client
from luna.platform.queue.connection import connect
from luna.platform.queue.heartbeats import LeaderLock, read_beat
from luna.platform.service_process import (
    add_stall_option,
    end_on_signals,
    exit_from,
    health_parser,
    service_process,
)
from luna.platform.settings import Settings

Look = Callable[[Connection, Settings, datetime], bool]


def _is_plan_due(connection: Connection, settings: Settings, now: datetime) -> bool:
    planned = control.list_planned(connection, settings.plan_refresh)
    return plan_causes.is_any_due(connection, planned, now=now)


def _is_job_due(connection: Connection, _settings: Settings, _now: datetime) -> bool:
    return jobs.is_any_due(connection)


def _are_limits_published(_connection: Connection, settings: Settings, _now: datetime) -> bool:
    credentials = (settings.openadr_token, settings.ieee2030_certificate)
    return any(credential is not None for credential in credentials)


def _is_rollup_marked(connection: Connection, _settings: Settings, _now: datetime) -> bool:
    return rollups.is_any_marked(connection)


# Requests that are not listed are always sent.
LOOKS: Mapping[type[Request], Look] = {
    FollowChangesRequest: _is_plan_due,
    ResendRequest: _is_job_due,
    FetchLimitsRequest: _are_limits_published,
    RefreshRollupsRequest: _is_rollup_marked,
}


class PendingWork:
    """Checks whether a scheduled request has work.

    So no worker forks a process for nothing. A separate thread queries the database: one that does
    not answer blocks nothing else.

    Args:
        settings: which sites are replanned on changes.
        database_url: of the database with the work.
        patience: how long to wait for the answer.
        clock: by which work is due.
        looks: the check of each request.
    """

    def __init__(
        self,
        settings: Settings,
        database_url: str,
        *,
        patience: timedelta,
        clock: Clock,
        looks: Mapping[type[Request], Look] = LOOKS,
    ) -> None:
        self._settings = settings
        self._patience = patience
        self._clock = clock
        self._looks = looks
        self._engine = engine.create(database_url, application_name="luna-beat", pool_size=1)
        self._answer: Future[bool] | None = None

    def is_there(self, request: type[Request]) -> bool:
        """Return whether a request has work.

        True where that is unknown in time: then the task itself reports the fault.
        """
        look = self._looks.get(request)
        if look is None:
            return True
        is_asking = self._answer is not None and not self._answer.done()
        if is_asking:
            return True
        answer: Future[bool] = Future()
        self._answer = answer
        threading.Thread(
            target=self._ask, args=(look, answer), name="pending work", daemon=True
        ).start()
        try:
            return answer.result(self._patience.total_seconds())
        except TimeoutError:
            return True

    def close(self) -> None:
        self._engine.dispose()

    def _ask(self, look: Look, answer: "Future[bool]") -> None:
        try:
            with unit_of_work(self._engine) as connection:
                answer.set_result(look(connection, self._settings, self._clock.now()))
        except Exception as error:  # noqa: BLE001
            # Unknown counts as work, and the task itself reports the fault.
            log.debug("not found out whether there is work", error=str(error))
            answer.set_result(True)


# Interval at which prompt requests without work are checked again: an owner's order is planned
# within five seconds.
_PROMPT_TURN = timedelta(seconds=1)
# An unread message expires before the next one is due.
_LIFETIME_SHARE = 0.9
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
# Tolerated difference of two clocks, or correction of one; more means that the clock was set.
_CLOCKS_DIFFER = timedelta(minutes=1)

SENT = Counter("luna_beat_sent_messages_total", "Messages sent because they were due.", ["task"])

log = structlog.get_logger("luna.beat")

HasWork = Callable[[type[Request]], bool]


def always(_: type[Request]) -> bool:
    """Return True: any request may have work."""
    return True


class Scheduler(CeleryScheduler):  # type: ignore[misc]
    """Celery's scheduler in memory, for typed requests.

    A request without a live worker stays due instead of waiting in its queue.

    Args:
        client: sends.
        schedule: the interval of each request, which is sent with its defaults.
        asked_at: when each task was last sent, by any leading beat; a missing instant, or one in
            the future, means due at once.
        turn: interval at which unsent due requests are checked again.
        clock: decides what is due, also after a suspend or a clock that went back.
        has_work: whether a request has work; without work it stays due.
    """

    # Messages go through the client, which times out where Redis is away; Celery's producer would
    # block.
    producer = None

    def __init__(
        self,
        client: Client,
        schedule: Mapping[type[Request], timedelta],
        asked_at: Mapping[str, datetime],
        *,
        turn: timedelta,
        clock: Clock,
        has_work: HasWork = always,
    ) -> None:
        app = Celery("luna-beat", set_as_current=False)
        app.conf.timezone = "UTC"
        self._client = client
        self._has_work = has_work
        now = clock.now()
        self._clock = clock
        self._looked_at = now
        # Drop instants in the future: of another machine's clock, or from before the clock went
        # back.
        latest = now + _CLOCKS_DIFFER
        self.asked_at: dict[str, datetime] = {}
        entries = {}
        for request, every in schedule.items():
            task = request.task
            if task in asked_at and asked_at[task] <= latest:
                self.asked_at[task] = min(asked_at[task], now)
            entries[task] = ScheduleEntry(
                task,
                task,
                self.asked_at.get(task, _NEVER),
                schedule=schedules.schedule(every, nowfun=clock.now, app=app),
                args=(request(),),
                app=app,
            )
        super().__init__(app, schedule=entries, max_interval=turn.total_seconds(), lazy=True)

    def send_due(self) -> float:
        """Send all due requests and return the seconds until the next may be due."""
        self._looked_at = self._clock.now()
        pause = 0.0
        # One tick sends one request; it returns 0 while others are due.
        while not pause:
            pause = float(self.tick())
        return pause

    @property
    def clock_went_back(self) -> bool:
        """Whether the clock has gone back since the last look: then no due time holds."""
        return self._clock.now() < self._looked_at - _CLOCKS_DIFFER

    def is_due(self, entry: ScheduleEntry) -> tuple[bool, float]:
        is_entry_due, seconds = entry.is_due()
        request = type(entry.args[0])
        if not is_entry_due:
            return is_entry_due, seconds
        is_prompt = _is_prompt(entry)
        if self._client.is_served(request, interactive=is_prompt) and self._has_work(request):
            return is_entry_due, seconds
        if is_prompt:
            return False, min(_PROMPT_TURN.total_seconds(), self.max_interval)
        return False, self.max_interval

    def apply_entry(self, entry: ScheduleEntry, producer: None = None) -> None:
        try:
            request = entry.args[0]
            lifetime = _LIFETIME_SHARE * entry.schedule.run_every
            if _is_prompt(entry):
                self._client.begin(request, timeout=lifetime)
            else:
                self._client.submit(request, expires=lifetime)
        except UnavailableError as error:
            log.warning("due and not sent", task_name=entry.name, error=str(error))
            return
        self.asked_at[entry.name] = self._clock.now()
        SENT.labels(entry.name).inc()


def _is_prompt(entry: ScheduleEntry) -> bool:
    schedule = type(entry.args[0]).schedule
    return schedule is not None and schedule.prompt


TURN = timedelta(seconds=5)
LEADS = Gauge("luna_beat_leads_bool", "Whether this beat leads: 1, or waits for another: 0.")


class Beat:
    """A beat process: sends due requests while it leads, else waits for the leader lock.

    Args:
        redis_url: the queue.
        schedule: the interval of each request, which is sent with its defaults.
        turn: the longest time between two turns.
        clock: the source of the current time.
        has_work: as for ``Scheduler``.
    """

    def __init__(
        self,
        redis_url: str,
        schedule: Mapping[type[Request], timedelta],
        *,
        turn: timedelta = TURN,
        clock: Clock | None = None,
        has_work: HasWork = always,
    ) -> None:
        self.name = f"{platform.node()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        self._schedule = schedule
        self._has_work = has_work
        self._turn = turn
        self._clock = clock or SystemClock()
        self._started_at = self._clock.now()
        self._client = Client(redis_url)
        self._redis = connect(redis_url)
        self._lead = LeaderLock(self._redis, self.name, turn=turn)
        self._scheduler: Scheduler | None = None
        self._version = version("luna-energy")
        self.state = "starts"

    def turn(self) -> float:
        """Send what is due and return the seconds until the next turn.

        Without Redis, retry at the next turn.
        """
        longest = self._turn.total_seconds()
        try:
            if self._lead.hold():
                return min(longest, self._send_due())
            self._scheduler = None
            self._show_state(f"waits, for {self._lead.holder()} leads")
        except redis.RedisError as exc:
            # Another beat may lead meanwhile; its heartbeat records what it sent.
            self._scheduler = None
            self._show_state("does not reach Redis", error=str(exc))
        return longest

    def leave(self) -> None:
        """Release the leader lock and close every connection."""
        try:
            self._lead.leave()
        except redis.RedisError as exc:
            log.warning("queue does not answer", error=str(exc))
        self._client.close()
        self._redis.close()

    def _send_due(self) -> float:
        if self._scheduler is None or self._scheduler.clock_went_back:
            last = read_beat(self._redis)
            asked_at = last.asked_at if last else {}
            self._scheduler = Scheduler(
                self._client,
                self._schedule,
                asked_at,
                turn=self._turn,
                clock=self._clock,
                has_work=self._has_work,
            )
        self._show_state("leads")
        pause = self._scheduler.send_due()
        self._lead.publish(
            BeatSign(
                name=self.name,
                version=self._version,
                started_at=self._started_at,
                turned_at=self._clock.now(),
                turn=self._turn,
                asked_at=self._scheduler.asked_at,
            )
        )
        return pause

    def _show_state(self, state: str, **fields: str) -> None:
        if state != self.state:
            self.state = state
            log.info("beat's part", name=self.name, state=state, **fields)
            LEADS.set(state == "leads")


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT."""
    options = _parser().parse_args(arguments)
    ending = end_on_signals()
    turn = timedelta(seconds=options.turn_seconds)
    schedule = {}
    for request, periodic in list_periodic().items():
        seconds = getattr(options, f"{periodic.option}_seconds")
        schedule[request] = timedelta(seconds=seconds)
    with service_process(
        "beat", beat=turn, health_port=options.health_port, stall_seconds=options.stall_seconds
    ) as process:
        pending = PendingWork(
            process.settings,
            process.addresses.database_url,
            patience=min(PATIENCE, turn),
            clock=SystemClock(),
        )
        process.resources.callback(pending.close)
        beat = Beat(process.addresses.redis_url, schedule, turn=turn, has_work=pending.is_there)
        process.resources.callback(beat.leave)
        readiness = process.serve_health(("redis",), {"schedule": lambda: beat.state})
        if options.health_port:
            readiness.watch()
        while not ending.is_set():
            process.pulse.beat()
            ending.wait(beat.turn())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = health_parser("luna.platform.queue.beat", __doc__)
    add_stall_option(parser)
    parser.add_argument(
        "--turn-seconds",
        type=float,
        default=TURN.total_seconds(),
        help="longest time between two turns",
    )
    for periodic in list_periodic().values():
        parser.add_argument(
            f"--{periodic.option}-seconds",
            type=float,
            default=periodic.every.total_seconds(),
            help=periodic.help,
        )
    return parser


if __name__ == "__main__":
    exit_from(main, log, "beat cannot start")
