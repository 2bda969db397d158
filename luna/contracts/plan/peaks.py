"""What a month's peaks have come to before a plan begins."""

from typing import Annotated

from pydantic import Field

from luna.contracts.message import Message

Power = Annotated[float, Field(ge=0, le=100_000)]


class PeakState(Message):
    """What a component of the capacity tariff has counted this month.

    ``highest_kw`` are its highest intervals, or days but today where only the highest of a day counts; ``today_kw`` is then today's highest so far.
    """

    highest_kw: list[Power] = []
    today_kw: Power = 0.0
    interval_kwh: Annotated[float, Field(ge=0, le=100_000, description="imported so far in the interval that is running at the start")] = 0.0
