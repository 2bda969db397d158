"""Ask for a plan."""

from contextlib import nullcontext
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, ModelWrapValidatorHandler, model_validator

from luna.contracts.manual import ManualBlock
from luna.contracts.message import Instant, Request, site_clock
from luna.contracts.plan.notes import Assumption
from luna.contracts.plan.options import PlanOptions
from luna.contracts.plan.outlook import OutlookMessage
from luna.contracts.plan.reply import PlanReply
from luna.contracts.plan.state import StateMessage
from luna.contracts.strategy import Reserve, Surroundings
from luna.errors import InvalidInputError
from luna.site import Site
from luna.timeline import STEPS, parse_zone


class PlanRequest(Request):
    """Plan a site: a stored one by ``site_id``, or the one in ``site`` with its ``outlook`` and ``state``."""

    task: ClassVar[str] = "planner.schedule.solve"

    site_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    site: Site | None = None
    start: Instant | None = None
    slot_minutes: Literal[5, 15, 30, 60] = 15
    first_slot_minutes: Annotated[float, Field(gt=0, le=60)] | None = None
    outlook: OutlookMessage | None = None
    state: StateMessage = StateMessage()
    options: PlanOptions = PlanOptions()
    manual: Annotated[
        list[ManualBlock], Field(max_length=64, description="what the owner pins and forbids; a stored site's own blocks are added to these")
    ] = []
    surroundings: Surroundings = Surroundings()
    reserves: Annotated[list[Reserve], Field(max_length=64, description="what batteries should hold for a time; a site's strategy adds its own")] = []

    assumptions: Annotated[list[Assumption], Field(max_length=64, description="what stands where a stored site knows nothing; the reply's notes say it")] = []

    @model_validator(mode="wrap")
    @classmethod
    def _by_the_sites_clock(cls, document: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        zone = _zone_of(document)
        with nullcontext() if zone is None else site_clock(zone):
            return read(document)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.site is None) == (self.site_id is None):
            raise ValueError("give either site (with start, outlook and state) or site_id")
        if self.site is not None and (self.outlook is None or self.start is None):
            raise ValueError("a site in the request needs start and outlook beside it")
        if self.outlook is not None and self.site is not None and self.options.uncertainty == "scenarios" and self.outlook.scenarios is None:
            raise ValueError("options.uncertainty: scenarios needs outlook.scenarios: probability, load_kwh, pv_kwh")
        if self.first_slot_minutes is not None and self.first_slot_minutes > self.slot_minutes:
            raise ValueError("first_slot_minutes is what remains of the first slot: at most slot_minutes")
        return self

    @property
    def step(self) -> timedelta:
        """The length of a slot."""
        return next(step for step in STEPS if step == timedelta(minutes=self.slot_minutes))


def _zone_of(document: Any) -> ZoneInfo | None:
    """Return the zone of the site within a request; None where it names a stored one, or none that there is."""
    site = document.get("site") if isinstance(document, dict) else None
    name = site.timezone if isinstance(site, Site) else site.get("timezone") if isinstance(site, dict) else None
    try:
        return parse_zone(name) if isinstance(name, str) else None
    except InvalidInputError:
        return None


PlanRequest.reply = PlanReply
