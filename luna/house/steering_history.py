"""Describe what steering had devices do in a quarter-hour, from its records."""

from collections.abc import Iterable, Iterator

from luna.contracts.steering_records import SteeredSwitch, SteeringRecord
from luna.words import Numbers
from luna.words.devices import say_device
from luna.words.steering import (
    HINDERED,
    SLOT,
    STEERING,
    SteeredAction,
    format_hindered,
    format_steered,
)

# Energies that people would not notice, kWh, and times, seconds.
_LITTLE_KWH = 0.05
_LITTLE_S = 30.0


def format_records(records: Iterable[SteeringRecord], numbers: Numbers) -> list[str]:
    """Return lines of what devices were commanded, and of what held them back."""
    lines: list[str] = []
    for record in records:
        for switch in record.switches:
            if switch.reason in STEERING:
                lines.append(_format_switch(record, switch, numbers))
        lines += _format_sums(record, numbers)
    return lines


def _format_switch(record: SteeringRecord, switch: SteeredSwitch, numbers: Numbers) -> str:
    action = SteeredAction(
        device=record.device,
        mode=switch.mode,
        code=switch.reason,
        power_kw=None if switch.power_kw is None else abs(switch.power_kw) or None,
        of_battery=switch.mode == "export",
    )
    return SLOT.say(
        "switch",
        numbers.language,
        at=numbers.clock(switch.at),
        sentence=format_steered(action, numbers),
    )


def _format_sums(record: SteeringRecord, numbers: Numbers) -> Iterator[str]:
    language = numbers.language
    name = say_device(record.device, language=language)
    if record.mean_kw is not None and record.least_kw is not None and record.most_kw is not None:
        yield SLOT.say(
            "powers",
            language,
            name=name,
            mean=numbers.power(record.mean_kw),
            least=numbers.power(record.least_kw),
            most=numbers.power(record.most_kw),
        )
    reasons = record.reasons.items()
    hindered = {
        code: seconds for code, seconds in reasons if code in HINDERED and seconds >= _LITTLE_S
    }
    if hindered:
        yield format_hindered(name, hindered, numbers)
    if record.moved_kwh is not None and abs(record.moved_kwh) >= _LITTLE_KWH:
        yield SLOT.say(
            "more" if record.moved_kwh > 0 else "less",
            language,
            name=name,
            energy=numbers.energy(abs(record.moved_kwh)),
        )
