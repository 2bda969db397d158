"""What is due by the clock, and sending it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import structlog
from celery import Celery
from celery.beat import ScheduleEntry
from celery.beat import Scheduler as CeleryScheduler
from prometheus_client import Counter

from luna.contracts.message import Request
from luna.errors import UnavailableError
from luna.queue.client import Client

# A message that nobody took by then is dropped, before the next one is due.
_SHARE_KEPT = 0.9
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)

SENT = Counter("luna_beat_sent_messages_total", "Messages sent because they were due.", ["task"])

log = structlog.get_logger("luna.beat")


class Scheduler(CeleryScheduler):  # type: ignore[misc]
    """Celery's scheduler in memory, over typed requests; what nobody serves stays due instead of waiting in its queue.

    Args:
        client: sends.
        schedule: how often to ask for what.
        asked_at: when a task was asked for last, by whichever beat led then; one that never was is due at once.
        turn: after how long to look again at what is due and not served.
    """

    # Messages go through the client, which gives up in time where Redis is away; Celery's producer would wait for it.
    producer = None

    def __init__(self, client: Client, schedule: Mapping[Request, timedelta], asked_at: Mapping[str, datetime], *, turn: timedelta) -> None:
        app = Celery("luna-beat", set_as_current=False)
        app.conf.timezone = "UTC"
        self._client = client
        self.asked_at = {request.task: min(asked_at[request.task], app.now()) for request in schedule if request.task in asked_at}
        entries = {
            request.task: ScheduleEntry(request.task, request.task, self.asked_at.get(request.task, _NEVER), schedule=every, args=(request,), app=app)
            for request, every in schedule.items()
        }
        super().__init__(app, schedule=entries, max_interval=turn.total_seconds(), lazy=True)

    def send_due(self) -> float:
        """Send all that is due and return the seconds until something may be."""
        while not (pause := float(self.tick())):
            pass
        return pause

    def is_due(self, entry: ScheduleEntry) -> tuple[bool, float]:
        due, seconds = entry.is_due()
        return (False, self.max_interval) if due and not self._is_served(entry) else (due, seconds)

    def apply_entry(self, entry: ScheduleEntry, producer: None = None) -> None:
        try:
            self._client.submit(entry.args[0], expires=_SHARE_KEPT * entry.schedule.run_every)
        except UnavailableError as error:
            log.warning("due and not sent", task_name=entry.name, error=str(error))
            return
        self.asked_at[entry.name] = entry.app.now()
        SENT.labels(entry.name).inc()

    def _is_served(self, entry: ScheduleEntry) -> bool:
        try:
            return any(entry.args[0].queue() in queues for queues in self._client.workers().values())
        except UnavailableError:
            return False
