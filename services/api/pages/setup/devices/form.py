"""What set-up asks of a kind of device: one declaration, which its pages iterate over."""

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


@dataclass(frozen=True, slots=True)
class SensorHints:
    """By what Home Assistant's sensors of a role are found: words that speak for one, words against it, words that it must have besides.

    ``statistic``: the kind of source of an energy dashboard that names it, and the field in which it does.
    """

    wanted: str
    against: str = "$^"
    also: str = ""
    statistic: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceForm(Generic[DeviceT]):
    """The form of a kind of device.

    Args:
        section: of a site that holds its devices; words of set-up are named after it: ``none_<section>``, ``add_<section>``.
        singular: what a device is called in a site's file; further ones with a number.
        entries: the fields of one device.
        compose: what a site's file says of a device, without its name, by the values of all fields.
        answer: what stands in the fields of a device that is there, without its name.
        asks_for: whether the fields can say a device; others of its section stay as they are.
        find_fault: what is wrong between fields that are each for itself right; None: nothing.
        follow: lets what the fields do not say, and follows from what they do, follow in the document of a device that is there and was changed.
        review: what one device is in a sentence; None: its power.
        sensors: the roles that a site with such a device should have sensors for.
        controlled_as: the field of an entry of ``control`` that names the device; None: an entry names none.
        first: whether one is there when set-up begins.
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
    sensors: Mapping[str, SensorHints] = field(default_factory=dict)
    controlled_as: str | None = None
    first: bool = False

    def begin(self) -> dict[str, str]:
        """Return what stands at first in the fields of a device."""
        return {entry.name: entry.default for entry in self.entries}

    def gather(self, typed: Answers) -> list[dict[str, str]]:
        """Return the devices as a form names them: ``<section>-<place>-<field>``; a switch that is not named is off."""
        pattern = re.compile(rf"{self.section}-(\d{{1,2}})-(\w+)")
        # Of a device that is changed its name comes along.
        names = {"name"} | {entry.name for entry in self.entries}
        devices: dict[int, dict[str, str]] = {}
        for name, text in typed.items():
            match = pattern.fullmatch(name)
            if match and match[2] in names:
                devices.setdefault(int(match[1]), {})[match[2]] = text
        return [devices[place] for place in sorted(devices)][:MOST_DEVICES]

    def check(self, typed: Answers, *, prefix: str) -> tuple[dict[str, Any], list[FieldFault]]:
        """Return what was typed of a device as values by field, and what is wrong with it; ``prefix`` goes before the names of faulty fields."""
        values, faults = check_entries(self.entries, typed, prefix=prefix)
        fault = None if faults else self.find_fault(values)
        return values, faults if fault is None else [fault._replace(field=f"{prefix}{fault.field}")]


def write_numbers(**values: float | None) -> dict[str, str]:
    """Return numbers as they would be typed; what is not known is empty."""
    return {name: "" if value is None else f"{value:.10g}" for name, value in values.items()}
