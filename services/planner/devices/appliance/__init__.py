"""Appliances as flexible loads of a plan: the declaration of the kind.

A load is switched on and off to use a daily energy; a programme runs once when requested.
"""

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from luna.contracts.owner import ManualBlock
from luna.contracts.plan import OutlookMessage, StateMessage
from luna.contracts.variant import Habit
from luna.energy.devices.appliance import APPLIANCE, DeferrableLoad, LoadState
from luna.energy.devices.kind import read_section
from luna.energy.site import Site
from luna.energy.timeline import Timeline
from services.planner.devices.appliance.begin import AddedLoad, carry_loads
from services.planner.devices.appliance.cycle import CycleDemand, read_cycle
from services.planner.devices.appliance.load import LoadDemand, read_load
from services.planner.devices.kind import UNSCHEDULED, PlannedKind, refuse_strangers


def _read_demands(
    site: Site, state: StateMessage, timeline: Timeline, series: OutlookMessage
) -> tuple[LoadDemand | CycleDemand, ...]:
    """Return the demands of loads, then those of programmes that run or are requested."""
    states = read_section(state, APPLIANCE.section, LoadState)
    zone = ZoneInfo(site.timezone)
    refuse_strangers(APPLIANCE.section, states, [load.name for load in site.loads])
    loads: list[LoadDemand] = []
    cycles: list[CycleDemand] = []
    for load in site.loads:
        if load.name in series.load_includes:
            continue
        load_state = states.get(load.name, LoadState())
        if not load.profile_kw:
            loads.append(read_load(load, load_state, timeline, zone=zone))
        elif load_state.runs or load_state.on_hours:
            cycles.append(read_cycle(load, load_state, timeline, zone=zone))
    return (*loads, *cycles)


def _refuse_block(_block: ManualBlock, load: DeferrableLoad) -> str:
    return "runs a programme: its runs say when" if load.profile_kw else UNSCHEDULED


def _add_loads(
    loads: Sequence[DeferrableLoad], _habits: Mapping[str, Habit], zone: ZoneInfo
) -> list[AddedLoad]:
    return [AddedLoad(load, zone) for load in loads]


PLANNED = PlannedKind(APPLIANCE.section, _read_demands, carry_loads, _refuse_block, add=_add_loads)
