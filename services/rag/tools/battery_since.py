"""Tool: tells since when the batteries charge, discharge or rest.

Meters say it; where nothing was measured lately, Luna's commands do.
"""

from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from luna.contracts.control import ControlEntry
from luna.energy.devices.battery import BATTERIES
from luna.energy.timeline import SLOT, Timeline, floor_to
from luna.platform.database import control
from luna.words import Language, say_mode
from luna.words.devices import say_device
from services.rag.tools import cues
from services.rag.tools.charging_sessions import CAR
from services.rag.tools.declaration import Findings, NoArguments, Tool, ToolContext
from services.rag.tools.question import MatchedCall, PlainQuestion
from services.rag.tools.reading import read_energies, series_source, slot_start
from services.rag.tools.telling import Teller

# Meters are read and quarter-hours built within the hour; what was last measured before says
# nothing of now.
FRESH = timedelta(hours=1)
BACK = timedelta(days=3)
# Below a hundred watts converters keep themselves warm.
LEAST_KWH = 0.025
UNKNOWN, RESTING, CHARGING, DISCHARGING = range(4)
_DOING = {RESTING: "battery_rests", CHARGING: "battery_charges", DISCHARGING: "battery_discharges"}


def match_since(question: PlainQuestion) -> list[MatchedCall]:
    """Return the call of a question about how long the batteries have been in their state."""
    asks_begin = (
        question.has(cues.SINCE_WHEN)
        and question.has(cues.BATTERY)
        and question.has(cues.BATTERY_STATE)
    )
    other_subjects = (CAR, cues.ABILITY, cues.PLAN, cues.WHY)
    if not asks_begin or any(map(question.has, other_subjects)) or question.is_generic():
        return []
    return [MatchedCall("battery_since")]


def tell_since(context: ToolContext, _arguments: NoArguments) -> Findings:
    """Tell the state of the batteries and its beginning, or its earliest known slot."""
    teller = Teller(context)
    end = floor_to(context.now, SLOT)
    timeline = Timeline(end - BACK, SLOT, BACK // SLOT)
    states = find_states(context, timeline)
    measured = np.flatnonzero(states != UNKNOWN)
    if measured.size == 0 or end - slot_start(timeline, int(measured[-1]) + 1) > FRESH:
        return _tell_commands(teller, context)
    last = int(measured[-1])
    others = np.flatnonzero(states[:last] != states[last])
    first = int(others[-1]) + 1 if others.size else 0
    moments = {
        "begin": teller.moment("since", slot_start(timeline, first), day=True),
        "end": teller.moment("measured_to", slot_start(timeline, last + 1), day=False),
    }
    is_begin = bool(others.size) and states[first - 1] != UNKNOWN
    teller.say(
        "battery_since" if is_begin else "battery_since_at_least",
        doing=teller.phrase(_DOING[int(states[last])]),
        **moments,
    )
    charge_source = series_source(context, "charge_kwh", timeline)
    discharge_source = series_source(context, "discharge_kwh", timeline)
    return teller.finish(sources=(charge_source, discharge_source))


def find_states(context: ToolContext, timeline: Timeline) -> NDArray[np.int64]:
    """Return each quarter-hour's state: ``CHARGING``, ``DISCHARGING``, ``RESTING``, ``UNKNOWN``."""
    flows = read_energies(context, timeline, ("charge_kwh", "discharge_kwh"))
    charged = flows["charge_kwh"]
    discharged = flows["discharge_kwh"]
    net = np.nan_to_num(charged) - np.nan_to_num(discharged)
    states = np.full(net.shape, RESTING)
    states[net > LEAST_KWH] = CHARGING
    states[net < -LEAST_KWH] = DISCHARGING
    # With one of the two meters missing, a flow on the other one is known; rest is not.
    both_missing = np.isnan(charged) & np.isnan(discharged)
    one_missing = np.isnan(charged) | np.isnan(discharged)
    states[both_missing | (one_missing & (states == RESTING))] = UNKNOWN
    return states


def find_present(context: ToolContext) -> int:
    """Return the state of the last quarter-hour that was measured lately; ``UNKNOWN`` if none."""
    end = floor_to(context.now, SLOT)
    states = find_states(context, Timeline(end - FRESH, SLOT, FRESH // SLOT))
    measured = states[states != UNKNOWN]
    return int(measured[-1]) if measured.size else UNKNOWN


def _tell_commands(teller: Teller, context: ToolContext) -> Findings:
    """Tell the mode that Luna commanded last, and its first command in a row."""
    entries = control.read_log(context.connection, context.site.name, limit=BACK // SLOT)
    log = [entry for entry in entries if entry.device == BATTERIES]
    if not log or context.now - log[0].slot_start > FRESH:
        return teller.miss("battery_not_measured")
    latest = log[0]
    first = latest
    for entry in log:
        if _modes(entry) != _modes(latest):
            break
        first = entry
    mode = _say_modes(latest, context.numbers.language)
    teller.say(
        "battery_told_since",
        mode=teller.name("mode", mode),
        begin=teller.moment("since", first.slot_start, day=True),
    )
    return teller.finish()


def _modes(entry: ControlEntry) -> tuple[str, ...]:
    return tuple(setpoint["mode"] for _, setpoint in sorted(entry.allowed.items()))


def _say_modes(entry: ControlEntry, language: Language) -> str:
    """Return the battery's mode; of several, each with its name."""
    modes = {}
    for name, setpoint in sorted(entry.allowed.items()):
        modes[name] = say_mode(setpoint["mode"], language=language, of_battery=True)
    if len(modes) == 1:
        return next(iter(modes.values()))
    named_modes = []
    for name, mode in modes.items():
        named_modes.append(f"{say_device(name, language=language)}: {mode}")
    return ", ".join(named_modes)


TOOL = Tool(
    "battery_since",
    "Since when the batteries have been charging, discharging or resting, as it was "
    "measured; where nothing was measured lately, as Luna told them.",
    NoArguments,
    tell_since,
)
