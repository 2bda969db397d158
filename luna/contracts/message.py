"""What every message has in common, and how it reads instants."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any, ClassVar, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, BeforeValidator

from luna.energy.errors import InvalidInputError
from luna.energy.part import StrictModel
from luna.energy.refusals import invalid_part, part_of
from luna.energy.timeline import parse_instant, require_year

# What is validated within one call of a command or of the gateway is about one site, and a model's validators are given nothing else to know its clock by.
_CLOCK: ContextVar[ZoneInfo | None] = ContextVar("site_clock", default=None)
_INTERACTIVE = ".interactive"


class Message(StrictModel):
    """A value that crosses the queue or the gateway."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How often beat asks for a task, each time with the defaults of its request.

    Args:
        every: the time between two messages.
        option: the name of what changes it: ``--<option>-seconds`` of ``python -m luna.platform.queue.beat``.
        help: what that option says of itself.
        prompt: it goes where no job stands in its way.
    """

    every: timedelta
    option: str
    help: str
    prompt: bool = False


class Request(Message):
    """A message that asks for work, and all there is to say of its task; ``luna.contracts.tasks`` lists them.

    ``task`` is ``<service>.<noun>.<verb>``; the part before the first dot names the queue. ``reply`` is the model of the answer. ``schedule`` says how often
    beat asks for it, None: never. ``public``: it may be asked for as a job, by ``POST /jobs``; the platform's own upkeep may not.
    """

    task: ClassVar[str]
    reply: ClassVar[type[Message]]
    schedule: ClassVar[Schedule | None] = None
    public: ClassVar[bool] = False

    @classmethod
    def queue(cls) -> str:
        """Return the queue of the service that answers."""
        return queue_of(cls.task)


def queue_of(task: str) -> str:
    """Return the queue of the service that answers a task."""
    return task.partition(".")[0]


def interactive_queue_of(service: str) -> str:
    """Return the queue of what somebody waits for at a service; what nobody waits for, and may take hours, never stands in it."""
    return f"{service}{_INTERACTIVE}"


def service_of(queue: str) -> str:
    """Return the service whose queue it is."""
    return queue.removesuffix(_INTERACTIVE)


@contextmanager
def site_clock(zone: ZoneInfo | None) -> Iterator[None]:
    """Let what is validated within read local days and clock times by a zone; None: only instants with an offset are read."""
    token = _CLOCK.set(zone)
    try:
        yield
    finally:
        _CLOCK.reset(token)


def _lacks_offset(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is None
    except ValueError:
        return False


# In an address a plus sign that nobody escaped arrives as a blank.
_LOST_PLUS = re.compile(r"\d{4}-\d{2}-\d{2}T[\d:.,]+ \d{2}:?\d{2}")


def _read_instant(value: Any) -> Any:
    zone = _CLOCK.get()
    # YAML makes days and times of what is written like one.
    text = value.isoformat() if isinstance(value, date) else value
    if isinstance(text, str) and _LOST_PLUS.fullmatch(text):
        raise invalid_part("lost-plus")
    if zone is None or not isinstance(text, str) or not _lacks_offset(text):
        return value
    try:
        return parse_instant(text, field="", zone=zone)
    except InvalidInputError as error:
        raise part_of(error) from error


_Day = TypeVar("_Day", bound=date)


def _within_calendar(day: _Day) -> _Day:
    try:
        require_year(day, field="")
    except InvalidInputError as error:
        raise part_of(error) from error
    return day


# With an offset; within ``site_clock`` also a local day (its beginning) or a time of the site's clock.
Instant = Annotated[AwareDatetime, BeforeValidator(_read_instant), AfterValidator(_within_calendar)]
# A local day of the site.
Day = Annotated[date, AfterValidator(_within_calendar)]
