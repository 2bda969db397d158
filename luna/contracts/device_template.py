"""Translation of safe set-points into an inverter's words, and back.

Read back, they tell whether the inverter does what it was told.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from luna.contracts.control import BatterySetpoint
from luna.energy.devices.battery import BatteryControl
from luna.energy.devices.commands import DeviceWrite
from luna.energy.site.control import Control

# Tolerance for an inverter's rounding of a number: a step of its own, or a hundredth.
_STEP = 1.0
_SHARE = 0.01
WATTS = 1000
# By an entity's kind in Home Assistant: the service that sets it, and the field of its data;
# Source: the integrations' own documentation.
SERVICES = {
    "select": ("select_option", "option"),
    "input_select": ("select_option", "option"),
    "number": ("set_value", "value"),
    "input_number": ("set_value", "value"),
    "input_text": ("set_value", "value"),
    "text": ("set_value", "value"),
    "button": ("press", None),
    "input_button": ("press", None),
    "script": ("turn_on", None),
}
SWITCHES = ("switch", "input_boolean")


@dataclass(frozen=True, slots=True)
class Write:
    """A value for an entity or topic.

    ``read_back`` is the place where the value in force is read; None: nowhere.
    """

    to: str
    value: str
    read_back: str | None
    service: str | None = None
    field: str | None = None


def render(control: Control, setpoints: Mapping[str, BatterySetpoint]) -> list[Write]:
    """Return what is written for safe set-points whose modes the inverters know, in order."""
    writes: list[Write] = []
    for battery in control.batteries:
        if battery.battery in setpoints:
            writes += _render(battery, setpoints[battery.battery])
    return writes


def matches(writes: Iterable[Write], readings: Mapping[str, str]) -> bool:
    """Return whether everything that can be read back says what was written.

    Numbers may be rounded.
    """
    # The last write to a place counts.
    expected = {write.read_back: write.value for write in writes if write.read_back is not None}
    for place, value in expected.items():
        if place not in readings or not _same(value, readings[place]):
            return False
    return True


def write_values(
    writes: Sequence[DeviceWrite], mode: str, values: Mapping[str, str]
) -> list[Write]:
    """Return what is written in a mode when these values stand for the placeholders."""
    rendered = []
    for write in writes:
        if not write.when or mode in write.when:
            # A button has no state that says what it did.
            has_state = not write.to.startswith(("button.", "input_button.", "script."))
            read_back = write.read_back or (write.to if has_state else None)
            rendered.append(
                Write(write.to, write.value.format(**values), read_back, write.service, write.field)
            )
    return rendered


def service_call(write: Write) -> tuple[str, dict[str, str]]:
    """Return service and data of a write through Home Assistant.

    They are as the site names them, else as the entity's kind has them.
    """
    domain = write.to.partition(".")[0]
    if write.service is None and domain in SWITCHES:
        return (
            f"{domain}.turn_{'on' if write.value.casefold() in {'on', 'true', '1'} else 'off'}",
            {},
        )
    own, usual = SERVICES.get(domain, ("set_value", "value"))
    name = write.field or (usual if write.service is None or usual else "value")
    return write.service or f"{domain}.{own}", {} if name is None else {name: write.value}


def describe(setpoint: BatterySetpoint) -> str:
    """Return a set-point as one text: ``charge power_kw=2 target_soc=0.9``.

    It is for a battery whose profile makes its writes of it.
    """
    limits = setpoint.model_dump(exclude={"mode"}, exclude_none=True)
    return " ".join([setpoint.mode, *(f"{name}={value:g}" for name, value in limits.items())])


def read_description(text: str) -> BatterySetpoint:
    """Return the set-point of such a text."""
    mode, *limits = text.split()
    return BatterySetpoint.model_validate(
        {"mode": mode}
        | {name: float(value) for name, _, value in (limit.partition("=") for limit in limits)}
    )


def _render(control: BatteryControl, setpoint: BatterySetpoint) -> list[Write]:
    if control.via is not None:
        return [Write(control.place, describe(setpoint), control.place)]
    values = {"mode": control.modes[setpoint.mode], "power_kw": "", "power_w": ""}
    if setpoint.power_kw is not None:
        values |= {
            "power_kw": f"{setpoint.power_kw:g}",
            "power_w": f"{setpoint.power_kw * WATTS:.0f}",
        }
    limits = {
        "target_percent": setpoint.target_soc,
        "floor_percent": setpoint.floor_soc,
        "ceiling_percent": setpoint.ceiling_soc,
    }
    values |= {name: "" if soc is None else f"{soc * 100:.0f}" for name, soc in limits.items()}
    return write_values(control.writes, setpoint.mode, values)


def _same(written: str, reading: str) -> bool:
    try:
        target = float(written)
        value = float(reading)
    except ValueError:
        return written.strip().casefold() == reading.strip().casefold()
    return abs(target - value) <= max(_STEP / 2, _SHARE * abs(target))
