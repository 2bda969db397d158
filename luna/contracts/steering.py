"""Messages between the steering process, the executor and the recorder."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from luna.contracts.control import Setpoint
from luna.contracts.health import ControlSign
from luna.contracts.live_flow import LiveFlow
from luna.contracts.message import Message
from luna.contracts.steering_records import SteeringRecord
from luna.energy.operator_limits import LimitScope, OperatorLimit
from luna.energy.part import SiteName
from luna.energy.timeline import Instant

UnitKey = Annotated[str, Field(min_length=1, max_length=80)]


class DeviceTarget(Message):
    """The plan's target of one device in a slot."""

    setpoint: Setpoint
    follow: Annotated[
        Literal["setpoint", "surplus", "surplus_floor"],
        Field(
            description=(
                "surplus: what the house leaves of its PV, where the set-point is to run; "
                "surplus_floor: at least floor_kw of it"
            )
        ),
    ] = "setpoint"
    floor_kw: Annotated[float, Field(ge=0, description="counts for surplus_floor alone")] = 0.0
    worth_price: Annotated[float, Field(description="what a kWh is worth to it now, currency")] = (
        0.0
    )
    battery_support: Annotated[
        bool, Field(description="whether the house's battery may discharge into it")
    ] = False
    dip_price: Annotated[
        float | None,
        Field(
            description=(
                "price of the kWh from the grid that a battery saves in a dip of the surplus which "
                "it follows, where its own is worth less; null: no battery may"
            )
        ),
    ] = None


class SteeredSlot(Message):
    """The targets of a unit's devices from an instant until the next slot begins."""

    start: Instant
    devices: dict[str, DeviceTarget]


class LimitMessage(Message):
    """A limit that the grid operator set."""

    limit_id: Annotated[str, Field(max_length=200)]
    start: Instant
    end: Annotated[Instant | None, Field(description="null: until it is released")]
    import_kw: float | None
    export_kw: float | None
    scope: LimitScope
    source: str
    acknowledged_at: Instant | None = None

    @classmethod
    def of(cls, limit: OperatorLimit) -> "LimitMessage":
        """Return a limit as a message."""
        return cls(
            limit_id=limit.limit_id,
            start=limit.start,
            end=limit.end,
            import_kw=limit.import_kw,
            export_kw=limit.export_kw,
            scope=limit.scope,
            source=limit.source,
            acknowledged_at=limit.acknowledged_at,
        )

    def to_limit(self) -> OperatorLimit:
        """Return the limit."""
        return OperatorLimit(**self.model_dump())


def to_limits(messages: Iterable[LimitMessage]) -> tuple[OperatorLimit, ...]:
    """Return the limits of messages."""
    return tuple(message.to_limit() for message in messages)


class SteeringTarget(Message):
    """The executor's target of one unit, with its site and limits.

    It replaces the unit's target before it, and the site's document and limits.
    """

    kind: Literal["target"] = "target"
    site_id: SiteName
    unit: UnitKey
    target_id: Annotated[str, Field(max_length=64, description="another one for other targets")]
    site: Annotated[dict[str, Any], Field(description="the site's document")]
    released: Annotated[
        bool, Field(description="whether the devices are handed back and then left alone")
    ]
    stopped_until: Annotated[
        Instant | None,
        Field(description="a charge stops until then, so that its new start wakes the car"),
    ] = None
    slots: Annotated[list[SteeredSlot], Field(min_length=1, max_length=200)]
    limits: Annotated[
        list[LimitMessage], Field(description="that hold now or later, in any order")
    ] = []


class MeasuredFlow(Message):
    """The present powers of a site, as the recorder has them."""

    kind: Literal["flow"] = "flow"
    site_id: SiteName
    flow: LiveFlow


class SteeringDrop(Message):
    """Leaves a unit to another sender, which commands it once this is answered."""

    kind: Literal["drop"] = "drop"
    site_id: SiteName
    unit: UnitKey


class StateQuestion(Message):
    """Asks for the state of a site."""

    kind: Literal["state"] = "state"
    site_id: SiteName


class SignQuestion(Message):
    """Asks for the sign of life of the process."""

    kind: Literal["sign"] = "sign"


class RecordsQuestion(Message):
    """Asks for finished records, and says which ones are stored."""

    kind: Literal["records"] = "records"
    journal: Annotated[
        str, Field(max_length=64, description="of the answer before; empty: there is none")
    ] = ""
    stored: Annotated[int, Field(ge=0, description="of the answer before")] = 0


SiteRequest = SteeringTarget | MeasuredFlow | SteeringDrop | StateQuestion
SteeringRequest = SiteRequest | SignQuestion | RecordsQuestion
REQUESTS: TypeAdapter[SteeringRequest] = TypeAdapter(
    Annotated[SteeringRequest, Field(discriminator="kind")]
)


class SteeredUnitState(Message):
    """The outcome of a unit's target."""

    target_id: str
    reason: Annotated[str, Field(description="code of what decided the command in force")]
    since: Annotated[Instant, Field(description="since when its devices have this command")]
    commands: dict[str, Setpoint] = {}
    confirmed: Annotated[bool, Field(description="whether the devices hold the command")] = False
    silent: Annotated[bool, Field(description="whether a device does not answer")] = False
    followed: Annotated[
        bool, Field(description="false: a device took its command and does something else")
    ] = True
    spent_until: Annotated[
        Instant | None, Field(description="when a device may be written to again")
    ] = None
    fault: Annotated[str | None, Field(description="what a device refused last")] = None
    keeps_phases: Annotated[
        bool | None,
        Field(description="whether a charger refused its number of phases; null: not sent yet"),
    ] = None


class SteeringState(Message):
    """The state of a site's steering.

    ``sends`` is whether this process commands devices: else another one does still.
    """

    site_id: SiteName
    at: Instant
    sends: bool
    stale: Annotated[bool, Field(description="whether the measured powers are too old")] = False
    units: dict[str, SteeredUnitState] = {}
    flow: LiveFlow | None = None


class FetchedRecords(Message):
    """The next records, to be confirmed by ``journal`` and ``stored``.

    A restarted process has another journal.
    """

    journal: str
    stored: int
    records: list[SteeringRecord]


class SteeringAnswer(Message):
    """The answer to any request: a state, a sign of life, records, or why there is none."""

    state: SteeringState | None = None
    sign: ControlSign | None = None
    records: FetchedRecords | None = None
    fault: str | None = None
