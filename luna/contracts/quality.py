"""Whether a local day of a site may train and score."""

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from luna.contracts.message import Message, Request

# mask_battery: everything but what the battery did may be learned from; exclude: nothing may.
QualityVerdict = Literal["clean", "mask_battery", "exclude"]


class DayQuality(Message):
    """One local day: the verdict, and what speaks against the day."""

    day: date
    verdict: QualityVerdict
    reasons: Annotated[list[str], Field(description="a code, a colon, and the figures: coverage: load_kwh is known in 60 of 96 slots")] = []


class SiteQuality(Message):
    """The days of a site that were judged, in order."""

    site_id: str
    days: list[DayQuality]


class JudgeQualityReply(Message):
    """What was judged, by site."""

    sites: list[SiteQuality]


class JudgeQualityRequest(Request):
    """Judge local days and store the verdicts: those named, or the last week of every site and what was written since it was judged."""

    task: ClassVar[str] = "ingest.quality.judge"
    reply: ClassVar[type[Message]] = JudgeQualityReply

    site_id: Annotated[str | None, Field(min_length=1, max_length=64, description="default: every site")] = None
    from_day: Annotated[date | None, Field(description="default: a week before to_day")] = None
    to_day: Annotated[date | None, Field(description="default: the site's day before this one")] = None
