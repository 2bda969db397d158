"""Declaration of a device kind's form in set-up; the pages iterate over these declarations."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from luna.energy.part import Part
from luna.words import Numbers
from luna.words.pages import PageWords
from services.api.pages.setup.fields import Answers, Entry, FieldFault, check_entries

DeviceT = TypeVar("DeviceT", bound=Part)

MOST_DEVICES = 8
# The unit of a sensor that is on or off.
SWITCHED = ""
# The review shows each part of a device on a line of its own.
LINE_BREAK = "\n"


@dataclass(frozen=True, slots=True)
class SensorHints:
    """Patterns for names of a role's sensors in Home Assistant.

    A name is likely (``wanted``), excluded (``against``), or has to contain more (``also``).
    ``statistic``: source type and field of an energy dashboard that hold the sensor. ``units``:
    those that it has; none: those of the role's kind.
    """

    wanted: str
    against: str = "$^"
    also: str = ""
    statistic: tuple[str, str] | None = None
    units: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceForm(Generic[DeviceT]):
    """The form of a kind of device.

    Args:
        section: of a site; also part of the names of phrases: ``none_<section>``,
            ``add_<section>``.
        singular: name of a first device; further ones get a number.
        entries: the fields of one device.
        compose: returns a device's document, without its name, from the values of all fields and
            the site's ``currency``.
        answer: returns the texts of the fields of a stored device, without its name.
        asks_for: whether the fields can express a device; the others of its section are not edited.
        find_fault: returns the fault of fields that contradict each other, None without one.
        follow: updates derived fields in the document of a stored device after a change.
        review: describes a device in a line or more; None: by its power.
        reviewed: the fields that this sentence says; the others follow it, each with its label.
        sensors: the roles for which a site with such a device should have sensors.
        controlled_as: the field of an entry of ``control`` with the device's name; None: entries
            have none.
        first: whether set-up begins with one such device.
    """

    section: str
    singular: str
    entries: tuple[Entry, ...]
    compose: Callable[[Mapping[str, Any]], dict[str, Any]]
    answer: Callable[[DeviceT], dict[str, str]]
    asks_for: Callable[[DeviceT], bool] = lambda _: True
    find_fault: Callable[[Mapping[str, Any]], FieldFault | None] = lambda _: None
    follow: Callable[[DeviceT, dict[str, Any]], None] = lambda _, __: None
    review: Callable[[DeviceT, PageWords, Numbers], str] | None = None
    reviewed: frozenset[str] = frozenset()
    sensors: Mapping[str, SensorHints] = field(default_factory=dict)
    controlled_as: str | None = None
    first: bool = False

    def begin(self, *, southern: bool = False) -> dict[str, str]:
        """Return the default texts of a device's fields north or south of the equator."""
        return {entry.name: entry.default_at(southern=southern) for entry in self.entries}

    def cross_equator(self, typed: Answers, *, southern: bool) -> dict[str, str]:
        """Return a device's texts with the defaults of the other side of the equator.

        ``southern``: the side that it comes to. What differs from a default stays.
        """
        crossed = dict(typed)
        for entry in self.entries:
            if typed.get(entry.name) == entry.default_at(southern=not southern):
                crossed[entry.name] = entry.default_at(southern=southern)
        return crossed

    def gather(self, typed: Answers) -> list[dict[str, str]]:
        """Collect the devices from a form's fields ``<section>-<place>-<field>``.

        An absent switch is off.
        """
        pattern = re.compile(rf"{self.section}-(\d{{1,2}})-(\w+)")
        # A stored device's name is a hidden field.
        names = {"name"} | {entry.name for entry in self.entries}
        devices: dict[int, dict[str, str]] = {}
        for name, text in typed.items():
            match = pattern.fullmatch(name)
            if match and match[2] in names:
                devices.setdefault(int(match[1]), {})[match[2]] = text
        return [devices[place] for place in sorted(devices)][:MOST_DEVICES]

    def check(self, typed: Answers, *, prefix: str) -> tuple[dict[str, Any], list[FieldFault]]:
        """Validate a device's fields; return their values and the faults.

        ``prefix`` is put before the field names of faults.
        """
        values, faults = check_entries(self.entries, typed, prefix=prefix)
        fault = None if faults else self.find_fault(values)
        if fault is not None:
            faults = [fault._replace(field=f"{prefix}{fault.field}")]
        return values, faults


def write_numbers(**values: float | None) -> dict[str, str]:
    """Return numbers as typed text, None as ""."""
    return {name: "" if value is None else f"{value:.10g}" for name, value in values.items()}
