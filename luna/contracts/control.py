"""Who decides what a site's devices are told, and what was decided: what the executor, its owner and the log share."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from luna.contracts.message import Instant, Message
from luna.contracts.setpoint import Setpoint
from luna.control import BATTERIES, Control, DeviceMode, Mode
from luna.wording import read_mode

# released: handed back to the inverters after a site was disarmed.
Source = Literal["planner", "owner", "released"]
DecidedBy = Literal["planner", "owner", "rule"]
# not_in_plan: the plan says nothing of the device; least_run: it was on too briefly to be told off.
ReasonCode = Literal["planned", "override", "no_plan", "plan_too_old", "plan_without_setpoints", "not_in_plan", "least_run", "disarmed", "not_acknowledged"]


class Override(Message):
    """What the owner wants of all batteries, or of one device, instead of the plan, until an instant."""

    mode: Annotated[Mode | DeviceMode, BeforeValidator(read_mode)]
    power_kw: Annotated[float | None, Field(gt=0, le=10_000)] = None
    target_soc: Annotated[float | None, Field(ge=0, le=1)] = None
    until: Instant
    by: Annotated[str, Field(max_length=64)] = "owner"


class Decision(Message):
    """What a device is told in a slot. It is stored before anything is sent, so that a process that dies sends the same again and nothing else.

    ``settled``: nothing is tried any more; it is in the log. ``tries`` were made by ``tried_at``. ``control`` is the section of the site that it was
    told by: where that is taken out of the site, the device is handed back by it. ``mode_since`` is since when the device has been in this mode.
    """

    slot_start: Instant
    source: Source
    decided_by: DecidedBy
    reason: ReasonCode
    plan_id: str | None = None
    override: Override | None = None
    requested: dict[str, Setpoint]
    allowed: dict[str, Setpoint]
    measured_soc: dict[str, float | None] = {}
    tries: int = 0
    tried_at: Instant | None = None
    settled: bool = False
    confirmed_at: Instant | None = None
    mode_since: Instant | None = None
    control: Control | None = None

    @property
    def gave_up(self) -> bool:
        """Whether this is what followed on something that was not acknowledged."""
        return self.reason == "not_acknowledged"


class ControlState(Message):
    """Whether a site is armed, and of a device the owner's override and the last decision; ``version`` counts the decisions' changes."""

    site: str
    device: str = BATTERIES
    armed_at: Instant | None = None
    armed_by: str | None = None
    override: Override | None = None
    decision: Decision | None = None
    version: int = 0


class ControlEntry(Message):
    """A row of the log: what was decided for a slot and what came of it; ``confirmed`` is what was read back, null where nothing confirmed it."""

    device: str = BATTERIES
    slot_start: Instant
    decided_by: str
    reason: str
    plan_id: str | None = None
    requested: dict[str, Any]
    allowed: dict[str, Any]
    confirmed: dict[str, Any] | None = None
    recorded_at: Instant
