"""What every message has in common."""

from typing import ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict


class Message(BaseModel):
    """A value that crosses the queue or the gateway: frozen, strict about names, finite numbers only."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True)


class Request(Message):
    """A message that asks for work.

    ``task`` is ``<service>.<noun>.<verb>``; the part before the first dot names the queue. ``reply`` is the model of the answer.
    """

    task: ClassVar[str]
    reply: ClassVar[type[Message]]

    @classmethod
    def queue(cls) -> str:
        """Return the queue of the service that answers."""
        return queue_of(cls.task)


def queue_of(task: str) -> str:
    """Return the queue of the service that answers a task."""
    return task.partition(".")[0]


Instant = AwareDatetime
