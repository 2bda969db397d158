"""Carry the states of appliances to a plan's start: by a plan in force, or by simulated days."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from luna.contracts.plan.columns import Columns
from luna.energy.devices.appliance import APPLIANCE, DeferrableLoad, LoadFlow, LoadRun, LoadState
from luna.energy.devices.kind import read_section
from luna.energy.timeline import Timeline, local_midnight
from services.planner.devices.expected import Expected, carry_runs

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def carry_loads(expected: Expected, switched: Collection[str]) -> dict[str, LoadState]:
    """Return the states of the loads of a plan's request, and of those that Luna switches.

    They have run as planned. If the plan did not know the energy that a switched load had used
    before, it is taken to have run evenly.
    """
    request = expected.plan.request
    zone = ZoneInfo(expected.plan.reply.timezone)
    states = read_section(request.state, APPLIANCE.section, LoadState)
    planned = read_section(expected.plan.reply.slots[0], APPLIANCE.section, LoadFlow)
    carried = {name: _carry_load(expected, name, state) for name, state in states.items()}
    start = expected.plan.start
    since_midnight = start - local_midnight(start.astimezone(zone).date(), zone)
    for load in request.site.loads if request.site else ():
        if load.name not in switched or load.name not in planned:
            continue
        state = states.get(load.name, LoadState())
        used = state.energy_today_kwh
        if used is None:
            used = load.energy_kwh_per_day * (since_midnight / DAY)
        state = state.model_copy(update={"energy_today_kwh": used})
        carried[load.name] = _carry_load(expected, load.name, state)
    return carried


def _carry_load(expected: Expected, name: str, state: LoadState) -> LoadState:
    flows = []
    for slot in expected.over:
        loads = read_section(slot, APPLIANCE.section, LoadFlow)
        if name in loads:
            flows.append((slot.start, loads[name].energy_kwh, loads[name].on))
    return _carry_state(
        state,
        flows,
        (expected.plan.start, expected.at),
        zone=ZoneInfo(expected.plan.reply.timezone),
        slot_hours=expected.slot_hours,
    )


def _carry_state(
    state: LoadState,
    flows: Sequence[tuple[datetime, float, bool]],
    span: tuple[datetime, datetime],
    *,
    zone: ZoneInfo,
    slot_hours: float,
) -> LoadState:
    """Return a load's state at the end of a span.

    ``flows`` are the starts of its slots, the energy used in each, and whether the load was on.
    """
    begin, end = span
    midnight = local_midnight(end.astimezone(zone).date(), zone)
    used = None
    if state.energy_today_kwh is not None:
        used = state.energy_today_kwh if begin >= midnight else 0.0
        used += sum(energy for start, energy, _ in flows if start >= midnight)
    on = [is_on for _, _, is_on in flows]
    changes = {"energy_today_kwh": used, "runs": list_remaining_runs(state, on)}
    return state.model_copy(update=changes | carry_runs(state, on, slot_hours))


def list_remaining_runs(state: LoadState, on: Sequence[bool]) -> list[LoadRun]:
    """Return a programme's remaining runs; those with the earliest deadlines have begun first."""
    begun = 0
    was_on = state.on_hours > 0
    for is_on in on:
        if is_on and not was_on:
            begun += 1
        was_on = is_on
    return sorted(state.runs, key=lambda run: run.by)[begun:]


@dataclass(frozen=True, slots=True)
class AddedLoad:
    """Load added to recorded days; it has used nothing when the first begins."""

    device: DeferrableLoad
    zone: ZoneInfo

    def begin(self, ahead: Timeline, before: LoadState | None) -> LoadState:
        return LoadState(energy_today_kwh=0.0) if before is None else before

    def end(self, flows: Columns, past: Timeline, before: LoadState | None) -> LoadState:
        return _carry_state(
            self.begin(past, before),
            list(zip(past, flows["energy_kwh"], flows["on"], strict=False)),
            (past.start, past.end),
            zone=self.zone,
            slot_hours=past.step / HOUR,
        )
