"""The base classes of all messages."""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from luna.energy.part import StrictModel

_INTERACTIVE = ".interactive"


class Message(StrictModel):
    """A value that crosses the queue or the gateway."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The interval at which beat sends a task.

    Each time it has the defaults of its request.

    Args:
        every: the time between two messages.
        option: the name of what changes it: ``--<option>-seconds`` of
            ``python -m luna.platform.queue.beat``.
        help: what that option says of itself.
        prompt: it goes where no job stands in its way.
    """

    every: timedelta
    option: str
    help: str
    prompt: bool = False


class Request(Message):
    """A message that asks for work, with all facts about its task.

    ``luna.contracts.tasks`` lists them.

    ``task`` is ``<service>.<noun>.<verb>``; the part before the first dot names the queue.
    ``reply`` is the model of the answer. ``schedule`` says how often beat asks for it, None: never.
    ``public``: it may be asked for as a job, by ``POST /v1/jobs``; the platform's own upkeep may
    not.
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
    """Return the queue of what somebody waits for at a service.

    What nobody waits for, and may take hours, never stands in it.
    """
    return f"{service}{_INTERACTIVE}"


def service_of(queue: str) -> str:
    """Return the service whose queue it is."""
    return queue.removesuffix(_INTERACTIVE)
