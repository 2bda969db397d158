"""Declare arming, overrides and the list of decisions of a site's devices."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from luna.contracts.control import ControlEntry, ControlState, Override
from luna.contracts.message import Message
from luna.contracts.steering_records import SteeringRecord
from luna.energy.devices.battery import BATTERIES
from luna.energy.site.control import DEVICE_KEYS
from luna.energy.timeline import Instant
from luna.house import control_service
from luna.house.capability import CapabilityCall, ReplyTable, SiteName, capability
from luna.house.control_sentences import format_standing
from luna.platform.database import control, executor_locks, steering_records
from luna.platform.paging import (
    Cursor,
    From,
    Limit,
    To,
    cut_page,
    read_instant_and_text,
    read_number,
)
from luna.words import Numbers, say_instant, say_mode
from luna.words.standing import STANDING

_NOUN = "control"
_DAY = timedelta(days=1)
_PATH = "/v1/sites/{site_id}/control"
DeviceKey = Annotated[
    str, Field(max_length=80, description=f"{', '.join(DEVICE_KEYS[:-1])} or {DEVICE_KEYS[-1]}")
]


class ExecutorReply(Message):
    """The executor that drives a site: machine and process, and since when."""

    name: str
    since: Instant | None


class ControlReply(Message):
    """Whether a site is armed, and how its devices stand."""

    armed: Annotated[bool, Field(description="whether Luna sends plans to the site's devices")]
    armed_at: Annotated[Instant | None, Field(description="since when; null: control is off")]
    armed_by: Annotated[
        str | None, Field(description="who turned control on; null: control is off")
    ]
    devices: Annotated[
        list[ControlState],
        Field(description="batteries first, then other devices with a command or an override"),
    ]
    executor: Annotated[
        ExecutorReply | None,
        Field(description="the one executor that drives its devices; null: none does"),
    ] = None


class VacationMode(Message):
    """Whether nobody is at home, as the owner says.

    What the site's own switches say stands beside it.
    """

    vacation: Annotated[bool, Field(description="true: nobody is at home")]


class DecisionList(Message):
    """Decisions for the devices of a site, the latest first."""

    decisions: Annotated[
        list[ControlEntry], Field(description="the decision for a slot and its result")
    ]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")]


class SteeringRecordList(Message):
    """A page of steering records in order of time."""

    records: Annotated[list[SteeringRecord], Field(description="one page, oldest first")]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")]


def _show_steered(record: SteeringRecord, numbers: Numbers) -> list[str]:
    powers = [record.mean_kw, record.least_kw, record.most_kw]
    reasons = []
    for code, seconds in record.reasons.items():
        reasons.append(f"{code} {seconds / 60:.1f} min")
    return [
        say_instant(record.begins_at, numbers.zone),
        record.device,
        *("" if power_kw is None else f"{power_kw:.2f}" for power_kw in powers),
        "" if record.moved_kwh is None else f"{record.moved_kwh:+.2f}",
        ", ".join(reasons),
    ]


def _show(entry: ControlEntry, numbers: Numbers) -> list[str]:
    setpoints = ", ".join(
        f"{name}: {say_mode(setpoint['mode'], language='en')}"
        for name, setpoint in entry.allowed.items()
    )
    confirmed = "no" if entry.confirmed is None else "yes"
    return [
        say_instant(entry.slot_start, numbers.zone),
        entry.device,
        entry.decided_by,
        entry.reason,
        setpoints,
        confirmed,
    ]


def describe_target(state: ControlState) -> str:
    """Return whose state it is: batteries are what a site's plans are about."""
    return state.site if state.device == BATTERIES else f"{state.device} of {state.site}"


def _format_override(state: ControlState, numbers: Numbers) -> Iterator[str]:
    if state.override is not None:
        unarmed = "" if state.armed_at else " It is not armed, so nothing is sent."
        override = _describe_override(state.override, numbers)
        yield f"{describe_target(state)} does {override}.{unarmed}"


def _show_state(reply: ControlReply, numbers: Numbers) -> Iterator[str]:
    if reply.armed_at:
        armed = f"armed since {say_instant(reply.armed_at, numbers.zone)} by {reply.armed_by}"
    else:
        armed = "not armed: nothing is sent"
    yield f"{reply.devices[0].site} is {armed}."
    for device in reply.devices:
        if device.override is not None:
            override = _describe_override(device.override, numbers)
            yield f"Override of {device.device} by {device.override.by}: {override}."
    yield from _format_standings(reply.devices, numbers)
    if reply.executor is not None:
        since = ""
        if reply.executor.since is not None:
            since = say_instant(reply.executor.since, numbers.zone)
        yield STANDING.say("driven_by", numbers.language, name=reply.executor.name, at=since)


def _format_standings(states: Iterable[ControlState], numbers: Numbers) -> Iterator[str]:
    standings = [state.standing.code for state in states if state.standing is not None]
    if "unattended" in standings:
        yield STANDING.say("unattended", numbers.language)
    for state in states:
        yield from format_standing(
            state, numbers, lambda instant: say_instant(instant, numbers.zone)
        )


def list_unreleased(states: Iterable[ControlState]) -> list[ControlState]:
    """Return the devices that nothing confirms to be handed back."""
    return [
        state
        for state in states
        if state.standing is not None and state.standing.code == "not_released"
    ]


def format_disarmed(
    site_id: str, states: Sequence[ControlState], numbers: Numbers
) -> Iterator[str]:
    """Yield what the disarming of a site came to.

    Either its devices are handed back, or it says what they still do and how to end it.
    """
    yield f"{site_id} is not armed any more; an override has ended with it."
    yield from _format_standings(list_unreleased(states), numbers)


def _describe_override(override: Override, numbers: Numbers) -> str:
    return (
        f"{say_mode(override.mode, language='en')} until "
        f"{say_instant(override.until, numbers.zone)}"
    )


def _format_paused(state: ControlState, numbers: Numbers) -> Iterator[str]:
    yield f"{describe_target(state)} is handed back and left alone until it is resumed."
    yield from _format_standings(list_unreleased([state]), numbers)


def _format_resumed(state: ControlState, _: Numbers) -> Iterator[str]:
    yield f"{describe_target(state)} follows its plan again."


_STEERED = ReplyTable(
    ("from", "device", "mean kW", "least kW", "most kW", "moved kWh", "reasons"),
    _show_steered,
    "records",
    none="Steering did nothing then.",
)
DECISIONS = ReplyTable(
    ("slot", "device", "by", "why", "told", "confirmed"),
    _show,
    "decisions",
    none="There are no decisions yet.",
)


@capability("GET", _PATH, noun=_NOUN, scope="read", command="control status", shown=_show_state)
def read_control(call: CapabilityCall, site_id: SiteName) -> ControlReply:
    """Show the state of control.

    Return whether control is on, the current overrides, and the last command to each device.
    """
    states = control_service.read_states(call.connection, site_id, now=call.now)
    holder = executor_locks.read_executors(call.connection, site_id).holder
    executor = None if holder is None else ExecutorReply(name=holder.name, since=holder.since)
    first = states[0]
    return ControlReply(
        armed=first.armed_at is not None,
        armed_at=first.armed_at,
        armed_by=first.armed_by,
        devices=states,
        executor=executor,
    )


@capability(
    "POST",
    f"{_PATH}/arm",
    noun=_NOUN,
    scope="operate",
    command="control arm",
    shown="{site_id} is armed.",
    critical=True,
)
def arm(call: CapabilityCall, site_id: SiteName) -> ControlState:
    """Turn control on.

    Luna sends the plan to the site's devices from the next check on. 422 if the site does not say
    how to control them, 409 if a device has to be tried first.
    """
    return control_service.arm(
        call.connection, site_id, now=call.now, by=call.by, data_folder=call.data_folder()
    )


@capability(
    "POST",
    f"{_PATH}/disarm",
    noun=_NOUN,
    scope="operate",
    command="control disarm",
    shown="{site_id} is not armed any more; an override has ended with it.",
)
def disarm(call: CapabilityCall, site_id: SiteName) -> ControlState:
    """Turn control off.

    Return the devices to their own control; overrides and pauses end. Luna sends nothing more. The
    state of control shows a few seconds later which devices have confirmed.
    """
    return control_service.disarm(call.connection, site_id, now=call.now)


@capability(
    "PUT",
    f"{_PATH}/overrides/{{device}}",
    noun=_NOUN,
    scope="operate",
    command="control override-device",
    also=("control override",),
    shown=_format_override,
)
def override(
    call: CapabilityCall, site_id: SiteName, device: DeviceKey, order: Override
) -> ControlState:
    """Override the plan of a device for a while.

    Set what a device, or all batteries, does until an instant; the safety limits still apply. It
    replaces an earlier override.
    """
    named = order.by if "by" in order.model_fields_set else None
    fields = order.model_dump(include=order.model_fields_set) | {"by": call.author(named)}
    return control_service.override(call.connection, site_id, device, fields, now=call.now)


@capability(
    "DELETE",
    f"{_PATH}/overrides/{{device}}",
    noun=_NOUN,
    scope="operate",
    command="control resume",
    shown=_format_resumed,
)
def resume(call: CapabilityCall, site_id: SiteName, device: DeviceKey = BATTERIES) -> ControlState:
    """End an override or a pause.

    The device follows the plan again. Nothing changes if there is neither.
    """
    return control_service.resume(call.connection, site_id, device)


@capability(
    "PUT",
    f"{_PATH}/pauses/{{device}}",
    noun=_NOUN,
    scope="operate",
    command="control pause",
    shown=_format_paused,
)
def pause(call: CapabilityCall, site_id: SiteName, device: DeviceKey = BATTERIES) -> ControlState:
    """Pause the control of a device.

    Return a device, or all batteries, to its own control until it is resumed; the rest of the site
    goes on.
    """
    return control_service.pause(call.connection, site_id, device, now=call.now, by=call.by)


@capability(
    "PUT", f"{_PATH}/vacation", noun=_NOUN, scope="operate", command="control vacation", shown=""
)
def set_vacation(call: CapabilityCall, site_id: SiteName, mode: VacationMode) -> VacationMode:
    """Start or end a vacation.

    Forecasts drop to the use of an empty house, and the site's vacation rule applies.
    """
    control_service.switch_vacation(call.connection, site_id, on=mode.vacation, now=call.now)
    return mode


@capability(
    "GET",
    f"{_PATH}/decisions",
    noun=_NOUN,
    scope="read",
    command="control decisions",
    shown=DECISIONS,
)
def list_decisions(
    call: CapabilityCall,
    site_id: SiteName,
    *,
    first: From = None,
    end: To = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> DecisionList:
    """List control decisions.

    Return the decisions for slots from `from` to `to`, who made them, and the results.
    """
    rows = control.read_log_page(
        call.connection, site_id, slots=(first, end), below=read_number(cursor), limit=limit + 1
    )
    page, following = cut_page(rows, limit=limit, key=lambda row: (row[0],))
    return DecisionList(decisions=[entry for _, entry in page], cursor=following)


@capability(
    "GET",
    f"{_PATH}/steering",
    noun=_NOUN,
    scope="read",
    command="control steering",
    shown=_STEERED,
)
def list_steering(
    call: CapabilityCall,
    site_id: SiteName,
    *,
    first: From = None,
    end: To = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> SteeringRecordList:
    """List what devices did within quarter-hours.

    Return what fast control had each device do, what held it back and for how long, and the energy
    compared with the plan. Default: the last day.
    """
    until = end or call.now
    rows = steering_records.read(
        call.connection,
        site_id,
        first=first or until - _DAY,
        end=until,
        after=read_instant_and_text(cursor),
        limit=limit + 1,
    )
    page, following = cut_page(rows, limit=limit, key=_key_record)
    return SteeringRecordList(records=page, cursor=following)


def _key_record(record: SteeringRecord) -> tuple[str, str]:
    return record.begins_at.isoformat(), record.device


CAPABILITIES = (
    read_control,
    arm,
    disarm,
    override,
    resume,
    pause,
    set_vacation,
    list_decisions,
    list_steering,
)
