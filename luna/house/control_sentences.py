"""Word how devices stand.

Each sentence tells the mode by the last read-back, since when, the next step, and how to end it.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from luna.contracts.control import ControlState, DeviceReport
from luna.words import Numbers
from luna.words.devices import say_device
from luna.words.standing import STANDING, say_doing

FormatInstant = Callable[[datetime], str]


def format_standing(
    state: ControlState, numbers: Numbers, format_at: FormatInstant
) -> Iterator[str]:
    """Yield the sentences on a device that was commanded, one paragraph each.

    Args:
        state: with its standing, as ``read_states`` returns it.
        numbers: of the reader.
        format_at: writes an instant.
    """
    standing = state.standing
    if standing is None:
        return
    if state.paused is not None:
        name = say_device(state.device, language=numbers.language)
        yield STANDING.say(
            "paused",
            numbers.language,
            device=name,
            at=format_at(state.paused.since),
            by=state.paused.by,
        )
    if standing.code in {"own", "paused"} or state.decision is None:
        return
    for name in state.decision.allowed:
        yield " ".join(_format_device(name, state, numbers, format_at))


def format_conflict(
    name: str, report: DeviceReport, numbers: Numbers, format_at: FormatInstant
) -> str:
    """Return a sentence on somebody else's commands to a device; "" without a conflict.

    With the usual causes.
    """
    conflict = report.conflict
    if conflict is None:
        return ""
    device = say_device(name, language=numbers.language)
    figures = {
        "device": device,
        "first": format_at(conflict.first_at),
        "last": format_at(conflict.last_at),
        "count": conflict.count,
    }
    doing = say_doing(conflict.mode, conflict.power_kw, numbers)
    sentence = STANDING.say("conflict", numbers.language, doing=doing, **figures)
    return f"{sentence} {STANDING.say('conflict_causes', numbers.language, device=device)}"


def _format_device(
    name: str, state: ControlState, numbers: Numbers, format_at: FormatInstant
) -> Iterator[str]:
    standing = state.standing
    if standing is None:
        return
    report = state.reports.get(name, DeviceReport())
    device = say_device(name, language=numbers.language)
    is_unreleased = standing.code == "not_released"
    if is_unreleased:
        yield STANDING.say("not_released", numbers.language, device=device)
    if report.read_at is None or report.since is None:
        yield STANDING.say("never_read", numbers.language, device=device)
    else:
        code = "does_commanded" if report.commanded else "does_other"
        times = {"read": format_at(report.read_at), "since": format_at(report.since)}
        yield STANDING.say(
            code,
            numbers.language,
            device=device,
            doing=say_doing(report.mode, report.power_kw, numbers),
            **times,
        )
    if report.keeps_phases:
        yield STANDING.say("keeps_phases", numbers.language, device=device)
    if report.silent_since is not None:
        yield STANDING.say(
            "silent", numbers.language, device=device, at=format_at(report.silent_since)
        )
    if standing.next is not None:
        yield STANDING.say(standing.next, numbers.language)
    if is_unreleased:
        yield STANDING.say("stop_at_device", numbers.language, device=device)
    if standing.conflict and report.conflict is not None:
        yield format_conflict(name, report, numbers, format_at)
