"""The message for a reason in a plan: code, sentence and evidence.

The reason is that of a slot, or of a device in it.
"""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from luna.energy.part import Part


class ReasonReply(Part):
    """Reason of a slot's mode: code, sentence, evidence.

    ``figures`` are what the sentence was made from, all of the slot's own.

    ``price_rank`` of ``price_count``: 1 is the cheapest to import of the slots of the local day, or
    of a car's session, or of another device's day. ``used_at``: the slot from which on the
    battery's energy is next used.
    """

    code: str
    text: str
    short: Annotated[
        str,
        Field(
            description=(
                "the sentence for a small screen, at most 60 characters; empty in plans of "
                "older versions"
            )
        ),
    ] = ""
    energy_value: float | None = None
    cost_of_opposite: float | None = None
    binding: list[str] = []
    figures: dict[str, Any] = {}
    price_rank: int | None = None
    price_count: int | None = None
    used_at: datetime | None = None
    device: Annotated[
        str | None,
        Field(
            description=(
                "the battery that is told of, the one that moves most; null where there are "
                "not several"
            )
        ),
    ] = None
