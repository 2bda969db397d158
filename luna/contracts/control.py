"""Commands for devices, and the deciders of each."""

from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field

from luna.contracts.message import Message
from luna.energy.car_draw import CarDraw
from luna.energy.devices.battery import BATTERIES, Mode
from luna.energy.devices.pv import PvMode
from luna.energy.devices.switched import LoadSetpoint
from luna.energy.devices.vehicle import VehicleMode
from luna.energy.site.control import Control, DeviceMode
from luna.energy.timeline import Instant
from luna.words import read_mode

Soc = Annotated[float | None, Field(ge=0, le=1)]


class BatterySetpoint(Message):
    """A mode with its limits for one battery; null: what battery and connection bear."""

    mode: Mode
    power_kw: Annotated[
        float | None,
        Field(
            ge=0,
            le=10_000,
            description="bounds exchange with the grid while charging and exporting",
        ),
    ] = None
    target_soc: Annotated[Soc, Field(description="where that exchange ends")] = None
    floor_soc: Annotated[Soc, Field(description="where serving the load ends")] = None
    ceiling_soc: Annotated[Soc, Field(description="where storing surplus ends")] = None
    spill_soc: Annotated[
        Soc,
        Field(
            description=(
                "where storing ends of surplus that may not be fed in and would be held back"
            )
        ),
    ] = None


class BatterySetpoints(Message):
    """A battery's set-points in the slots of a plan.

    They are lists with a value per slot: a model per slot would take longer than many a plan.
    """

    mode: list[Mode]
    power_kw: list[float]
    target_soc: list[float]
    floor_soc: list[float]
    ceiling_soc: list[float]
    spill_soc: Annotated[
        list[float], Field(description="empty in plans from before it was told")
    ] = []

    def at(self, slot: int) -> BatterySetpoint:
        """Return what it is told in one slot."""
        series = {name: getattr(self, name) for name in type(self).model_fields}
        return BatterySetpoint.model_validate(
            {name: values[slot] for name, values in series.items() if values}
        )


class VehicleSetpoint(Message):
    """The set-point of a vehicle's charger.

    ``charge_kw`` counts in the mode ``charge``, ``give_kw`` in the mode ``give``.
    """

    mode: VehicleMode
    charge_kw: Annotated[float, Field(ge=0, le=10_000)]
    give_kw: Annotated[float, Field(ge=0, le=10_000)] = 0.0
    phases: Annotated[
        Literal[1, 3] | None,
        Field(description="that it charges on; empty: the fewest that carry its power"),
    ] = None


class PvSetpoint(Message):
    """The curtailment of all arrays; ``limit_kw`` counts in the mode ``limit``."""

    mode: PvMode
    limit_kw: Annotated[float | None, Field(ge=0, le=1_000_000)]


class PvSetpoints(Message):
    """A plan's curtailment of PV in each slot."""

    mode: list[PvMode]
    limit_kw: list[float | None]

    def at(self, slot: int) -> PvSetpoint:
        """Return what is told in one slot."""
        return PvSetpoint(mode=self.mode[slot], limit_kw=self.limit_kw[slot])


Setpoint = BatterySetpoint | VehicleSetpoint | LoadSetpoint | PvSetpoint


# released: handed back to the inverters after a site was disarmed.
Source = Literal["planner", "owner", "released"]
DecidedBy = Literal["planner", "agent", "owner", "rule"]
# not_in_plan: the plan says nothing of the device; least_run: it was on too briefly to be told off.
# Left alone for a while is what did not confirm a command (not_acknowledged), confirmed it and did
# something else (not_followed), or may be written to no more today (writes_spent). mode_kept: the
# plan has another mode, which would gain too little for a device whose memory wears out.
# operator_limit: whoever decided, an operator's limit allows less than was requested. The last line
# says why the agent's plan is followed, or, where its owner asks for more than shadow, why the
# planner's is: as luna.contracts.agent_control.GateCode, and no_verdict: none has come for what
# holds now.
OwnReason = Literal[
    "planned",
    "override",
    "no_plan",
    "plan_too_old",
    "plan_without_setpoints",
    "not_in_plan",
    "least_run",
    "disarmed",
    "not_acknowledged",
    "not_followed",
    "writes_spent",
    "mode_kept",
    "site_unreadable",
    "operator_limit",
]
AgentReason = Literal[
    "agent_cheaper",
    "mode_not_offered",
    "mode_withdrawn",
    "not_cheaper",
    "not_safe",
    "no_artefact",
    "plan_failed",
    "no_verdict",
]
ReasonCode = OwnReason | AgentReason
LeftAloneReason = Literal["not_acknowledged", "not_followed", "writes_spent"]
LEFT_ALONE: tuple[LeftAloneReason, ...] = get_args(LeftAloneReason)


class Override(Message):
    """The owner's command in place of the plan, until an instant.

    It is for all batteries, or for one device.
    """

    mode: Annotated[Mode | DeviceMode, BeforeValidator(read_mode)]
    power_kw: Annotated[float | None, Field(gt=0, le=10_000)] = None
    target_soc: Annotated[float | None, Field(ge=0, le=1)] = None
    until: Instant
    since: Annotated[
        Instant | None, Field(description="since when it holds: from when it is stored")
    ] = None
    by: Annotated[str, Field(max_length=64)] = "owner"

    def asks_same(self, other: "Override") -> bool:
        """Return whether both ask for the same, whenever either was given."""
        return self.model_copy(update={"since": None}) == other.model_copy(update={"since": None})


class LeftAlone(Message):
    """For how long a device is left to what it does by itself."""

    since: Annotated[Instant, Field(description="the slot of the command that it did not follow")]
    until: Annotated[Instant, Field(description="when it is tried again")]
    failures: Annotated[int, Field(description="commands in a row that it did not follow")]


class Decision(Message):
    """The command for a device in a slot.

    It is stored before anything is sent, so that a process that dies sends the same again and
    nothing else.

    ``settled``: nothing is tried any more; it is in the log. ``tries`` were made by ``tried_at``.
    ``control`` is the section of the site that it was told by: where that is taken out of the site,
    the device is handed back by it. ``mode_since`` is since when the device has been in this mode.
    ``left_alone`` is for how long it is, or was, until a command has been followed again.
    ``forgone`` is what plans would have gained by the modes that were not taken since, currency,
    where the one in force was kept.
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
    left_alone: Annotated[
        LeftAlone | None,
        Field(description="for how long it is, or was, until a command has been followed again"),
    ] = None
    forgone: Annotated[
        float,
        Field(
            description=(
                "what plans would have gained by modes that were not commanded, to spare its "
                "memory; money"
            )
        ),
    ] = 0.0

    @property
    def gave_up(self) -> bool:
        """Whether the device did not do, or may not be told, what came before."""
        return self.reason in LEFT_ALONE


class DeviceConflict(Message):
    """The number of changes that somebody else made to confirmed commands."""

    count: Annotated[int, Field(description="how often it was found changed, since first_at")]
    first_at: Instant
    last_at: Instant
    mode: Annotated[
        str | None, Field(description="the mode that was read last; null: none that Luna knows")
    ]
    power_kw: Annotated[float | None, Field(description="the power that was read with it")]


class DeviceReport(Message):
    """One device's mode and power at its last reading."""

    mode: Annotated[
        str | None, Field(description="the mode that was read; null: none that Luna knows")
    ] = None
    power_kw: Annotated[
        float | None, Field(description="the power that was read with it; null: none")
    ] = None
    commanded: Annotated[bool, Field(description="whether this is Luna's own command")] = False
    read_at: Annotated[
        Instant | None, Field(description="when it was read; null: it never was")
    ] = None
    since: Annotated[Instant | None, Field(description="since when it has been read so")] = None
    silent_since: Annotated[
        Instant | None, Field(description="since when it has not answered; null: it answers")
    ] = None
    reset_at: Annotated[
        Instant | None, Field(description="when it last did what it does by itself instead")
    ] = None
    conflict: Annotated[
        DeviceConflict | None, Field(description="what somebody else changed; null: nobody did")
    ] = None
    draw: Annotated[
        CarDraw | None,
        Field(description="of a car: whether it draws what its charger is commanded"),
    ] = None
    keeps_phases: Annotated[
        bool,
        Field(description="of a car: its charger refused the number of phases; wiring decides"),
    ] = False


class ControlPause(Message):
    """Since when a device is left alone, and who asked for it."""

    since: Instant
    by: Annotated[str, Field(max_length=64)] = "owner"


# own: it does what it does by itself. follows: it confirmed its last command. sent: a command waits
# for its confirmation. silent: it does not answer. unattended: no executor runs, so it keeps its
# last command. not_released: it was to be handed back, and nothing confirms that it is. paused:
# handed back and left alone.
StandingCode = Literal["own", "follows", "sent", "silent", "unattended", "not_released", "paused"]
# Next step where a device is not released: as soon as it answers; as soon as Luna runs and it
# answers; nothing more.
NextStep = Literal["released_when_it_answers", "released_when_luna_runs", "left_to_owner"]


class ControlStanding(Message):
    """The state of a device by its last reading."""

    code: StandingCode
    next: Annotated[
        NextStep | None,
        Field(description="what happens with one that is not released; null: nothing is due"),
    ] = None
    conflict: Annotated[
        bool, Field(description="somebody else keeps changing what Luna commands")
    ] = False


class ControlState(Message):
    """The state of control: whether the site is armed, the override and the last decision.

    ``version`` counts the decisions' changes.

    ``reports`` says by name what the device, or each battery, did when it was read last;
    ``standing`` is null where nobody asked.
    """

    site: str
    device: str = BATTERIES
    armed_at: Instant | None = None
    armed_by: str | None = None
    override: Override | None = None
    decision: Decision | None = None
    version: int = 0
    reports: Annotated[
        dict[str, DeviceReport],
        Field(description="by name: what the device, or each battery, did when it was read last"),
    ] = {}
    paused: Annotated[
        ControlPause | None,
        Field(description="since when it is left alone, whatever is planned; null: it is not"),
    ] = None
    standing: Annotated[
        ControlStanding | None, Field(description="how it stands, by what was read of it")
    ] = None


class ControlEntry(Message):
    """A row of the control log: the decision for a slot and its outcome.

    ``confirmed`` is what was read back, null where nothing confirmed it.
    """

    device: str = BATTERIES
    slot_start: Instant
    decided_by: str
    reason: str
    plan_id: str | None = None
    requested: dict[str, Any]
    allowed: dict[str, Any]
    confirmed: dict[str, Any] | None = None
    asked_by: Annotated[
        str | None, Field(description="whose override it was; null: nobody asked for it")
    ] = None
    recorded_at: Instant
