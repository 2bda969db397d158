"""Since when the batteries charge, discharge or rest: as it was measured, and where nothing was, as
Luna told them.
"""

from datetime import timedelta
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from luna.contracts.control import ControlEntry
from luna.energy.devices.battery import BATTERIES
from luna.energy.timeline import SLOT, Timeline, floor_to
from luna.platform.database import control
from luna.words import Language, say_mode
from luna.words.devices import say_device
from services.rag.tools import cues
from services.rag.tools.charging_stays import CAR
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
    """Return the call of a question that asks since when the batteries do what they do."""
    begun = (
        question.has(cues.SINCE_WHEN)
        and question.has(cues.BATTERY)
        and question.has(cues.BATTERY_STATE)
    )
    other = (
        question.has(CAR)
        or question.has(cues.ABILITY)
        or question.has(cues.PLAN)
        or question.has(cues.WHY)
    )
    return (
        [MatchedCall("battery_since")] if begun and not other and not question.is_generic() else []
    )


def tell_since(context: ToolContext, _arguments: NoArguments) -> Findings:
    """Tell what the batteries do and since when; of what was before it where that is unknown."""
    teller = Teller(context)
    end = floor_to(context.now, SLOT)
    timeline = Timeline(end - BACK, SLOT, BACK // SLOT)
    sources = tuple(
        series_source(context, name, timeline) for name in ("charge_kwh", "discharge_kwh")
    )
    states = find_states(context, timeline)
    measured = np.flatnonzero(states != UNKNOWN)
    if measured.size == 0 or end - slot_start(timeline, int(measured[-1]) + 1) > FRESH:
        log = [
            entry
            for entry in control.read_log(context.connection, context.site.name, limit=BACK // SLOT)
            if entry.device == BATTERIES
        ]
        if not log or context.now - log[0].slot_start > FRESH:
            return teller.miss("battery_not_measured")
        same_modes = list(takewhile(lambda entry: _modes(entry) == _modes(log[0]), log))
        mode = _say_modes(log[0], context.numbers.language)
        teller.say(
            "battery_told_since",
            mode=teller.name("mode", mode),
            begin=teller.moment("since", same_modes[-1].slot_start, day=True),
        )
        return teller.finish()
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
    return teller.finish(sources=sources)


def find_states(context: ToolContext, timeline: Timeline) -> NDArray[np.int64]:
    """Return of each quarter-hour whether batteries charged, discharged or rested in it."""
    flows = read_energies(context, timeline, ("charge_kwh", "discharge_kwh"))
    charged = flows["charge_kwh"]
    discharged = flows["discharge_kwh"]
    net = np.nan_to_num(charged) - np.nan_to_num(discharged)
    states = np.where(net > LEAST_KWH, CHARGING, np.where(net < -LEAST_KWH, DISCHARGING, RESTING))
    # One of both meters may be missing: what the other one counts is known, and that neither counts
    # is not.
    unknown = np.isnan(charged) & np.isnan(discharged) | (
        np.isnan(charged) | np.isnan(discharged)
    ) & (states == RESTING)
    return np.where(unknown, UNKNOWN, states)


def _modes(entry: ControlEntry) -> tuple[str, ...]:
    return tuple(setpoint["mode"] for _, setpoint in sorted(entry.allowed.items()))


def _say_modes(entry: ControlEntry, language: Language) -> str:
    """Return the battery's mode; of several, each with its name."""
    modes = {
        name: say_mode(setpoint["mode"], language=language)
        for name, setpoint in sorted(entry.allowed.items())
    }
    if len(modes) == 1:
        return next(iter(modes.values()))
    return ", ".join(
        f"{say_device(name, language=language)}: {mode}" for name, mode in modes.items()
    )


TOOL = Tool(
    "battery_since",
    "Since when the batteries have been charging, discharging or resting, as it was "
    "measured; where nothing was measured lately, as Luna told them.",
    NoArguments,
    tell_since,
)
