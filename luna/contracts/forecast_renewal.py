"""What beat asks of the forecaster by the clock: models that are due to be trained again."""

from typing import Annotated, ClassVar

from pydantic import Field

from luna.contracts.forecast import TrainingTrigger
from luna.contracts.message import Message, Request


class SiteRenewal(Message):
    """What was decided for one site: the training that was asked for as a job, and why; ``trigger`` null: none is due, or ``fault`` says what went wrong."""

    site_id: str
    trigger: TrainingTrigger | None = None
    reason: str = ""
    job_id: str | None = None
    fault: str | None = None


class RenewModelsReply(Message):
    """One entry for each site."""

    sites: list[SiteRenewal]


class RenewModelsRequest(Request):
    """Have models trained that are due: the first one after two weeks, then every week in a night of the site's own, and sooner where its life has changed."""

    task: ClassVar[str] = "forecaster.model.renew"
    reply: ClassVar[type[Message]] = RenewModelsReply

    site_id: Annotated[str | None, Field(min_length=1, max_length=64)] = None
