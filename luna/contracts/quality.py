"""Whether a local day of a site may train and score."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from luna.contracts.message import Message

# mask_battery: everything but what the battery did may be learned from; exclude: nothing may.
QualityVerdict = Literal["clean", "mask_battery", "exclude"]


class DayQuality(Message):
    """One local day: the verdict, and what speaks against the day."""

    day: date
    verdict: QualityVerdict
    reasons: Annotated[list[str], Field(description="a code, a colon, and the figures: coverage: load_kwh is known in 60 of 96 slots")] = []
