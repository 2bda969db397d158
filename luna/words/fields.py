"""Fields of a home and of forms in the reader's language: names, values and changes."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from luna.energy.devices import DEVICE_KINDS
from luna.energy.devices.grid import NO_LIMIT_KW
from luna.energy.site.differences import SiteDifference
from luna.words.devices import say_device
from luna.words.language import Language
from luna.words.numbers import NBSP, Numbers, join_unit
from luna.words.pages import page_words
from luna.words.phrases import Phrases

FIELDS = Phrases("fields")
SECTIONS = Phrases("fields", "section_")
_CHANGES = Phrases("fields", "change_")
_VALUES = Phrases("fields", "value_")

# Sections whose members have names.
_DEVICES = frozenset(kind.section for kind in DEVICE_KINDS if kind.named)
_SHARES = ("_soc", "_efficiency", "_share", "vat", "quantile", "risk")
_PRICES_PER_KWH = frozenset(
    {
        "price",
        "default",
        "markup",
        "wear_price",
        "price_limit",
        "extra_value",
        "self_sufficiency_price",
    }
)
# Ending of a field's name → unit; the first that fits holds.
_UNITS = {
    "_kwh_per_day": "kWh",
    "kwh_per_100_km": "kWh",
    "_kwh_per_k": "kWh/K",
    "_kw_per_k": "kW/K",
    "km_per_year": "km",
    "_kwh": "kWh",
    "_kw": "kW",
    "_m2": "m²",
    "_minutes": "min",
    "_hours": "h",
    "_deg": "°",
    "_c": "°C",
    "_a": "A",
    "_v": "V",
}
# Fields whose text is the owner's own or the same in every language.
_TEXTS = frozenset({"name", "display_name", "timezone", "currency", "country", "region", "market"})


def name_field(path: str, language: Language) -> str:
    """Return a field's label in its form, as "Battery: capacity"; "" where no form has it.

    A field that no form has, within a part of a home, has the name of its file.

    The path is as errors name it, with devices by place or by name.
    """
    parts = [part for part in path.split(".") if part]
    # What stands before a home only leads to it.
    if "site" in parts[:-1]:
        parts = parts[parts.index("site") + 1 :]
    section, used = _name_section(parts, language)
    label = _name_leaf(parts[used:], language)
    if section and not label and parts[used:]:
        label = parts[-1]
    return ": ".join(part for part in (section, label) if part)


def _name_leaf(parts: list[str], language: Language) -> str:
    """Return the label of the last part that has one."""
    words = page_words("setup", language)
    for name in reversed(parts):
        role = f"role_{name}"
        if words.knows(role):
            return words(role)
        label = FIELDS.find(name, language)
        if label is not None:
            return label({})
    return ""


def _name_section(parts: list[str], language: Language) -> tuple[str, int]:
    """Return the section of a path, and the number of its parts in the path."""
    if not parts:
        return "", 0
    section = parts[0]
    member = parts[1] if len(parts) > 1 else None
    if section in _DEVICES:
        return _name_device(section, member, language), 2
    if section == "control":
        return SECTIONS.say(section, language), len(parts)
    # Prices and rules are called by their own names.
    if section in {"tariff", "strategy"} and member is not None and member in SECTIONS:
        return SECTIONS.say(member, language), 2
    if section in SECTIONS and section != "site":
        return SECTIONS.say(section, language), 1
    return "", 0


def _name_device(section: str, member: str | None, language: Language) -> str:
    """Return a device by its name or its place in a section."""
    kind = SECTIONS.say(section, language)
    if member is None:
        return kind
    if member.isdigit():
        place = int(member)
        return f"{kind} {place + 1}" if place else kind
    return say_device(member, language=language)


class ChangeText(NamedTuple):
    """A changed setting: its name and the values before and after.

    ``what``: the kind of change, where the values cannot be shown.
    """

    field: str
    before: str
    after: str
    what: str


def say_changes(differences: list[SiteDifference], numbers: Numbers) -> list[ChangeText]:
    """Return the differences of two versions of a home, each once."""
    changes = [_say_change(difference, numbers) for difference in differences]
    return list(dict.fromkeys(changes))


def _say_change(difference: SiteDifference, numbers: Numbers) -> ChangeText:
    language = numbers.language
    field = name_field(difference.field, language) or SECTIONS.say("site", language)
    field = field[0].upper() + field[1:]
    before = say_value(difference.field, difference.before, numbers)
    after = say_value(difference.field, difference.after, numbers)
    if before is not None and after is not None and before != after:
        return ChangeText(field, _drop_unit(before, after), after, "")
    code = "other"
    if difference.before in (None, []):
        code = "added"
    elif difference.after in (None, []):
        code = "removed"
    return ChangeText(field, "", "", _CHANGES.say(code, language))


def _drop_unit(before: str, after: str) -> str:
    """Return the value before without the unit that both have."""
    number, _, unit = before.rpartition(NBSP)
    _, _, unit_after = after.rpartition(NBSP)
    return number if number and unit == unit_after else before


def say_value(path: str, value: Any, numbers: Numbers) -> str | None:
    """Return the value of a field, "–" without one; None: it is no number or word."""
    field = [part for part in path.split(".") if not part.isdigit()][-1]
    if value is None:
        return numbers.number(None)
    if isinstance(value, bool):
        return _VALUES.say("on" if value else "off", numbers.language)
    if isinstance(value, int | float):
        return _say_number(field, float(value), numbers)
    if isinstance(value, str):
        return _say_text(path, field, value, numbers.language)
    return _say_part(path, field, value, numbers)


def _say_part(path: str, field: str, value: Any, numbers: Numbers) -> str | None:
    """Return the value of a list or of a part of a home."""
    if isinstance(value, list) and "input_sensors" in path:
        return _say_sensors(value, numbers)
    if isinstance(value, list) and field == "phases":
        return ", ".join(map(str, value))
    if isinstance(value, Mapping) and field in {"import", "export"}:
        return _say_option(f"{field}_kind", str(value.get("kind")), numbers.language)
    return None


def _say_number(field: str, value: float, numbers: Numbers) -> str:
    if field.endswith(_SHARES):
        return numbers.share(value, _count_decimals(100 * value))
    if field in _PRICES_PER_KWH:
        return numbers.price_per_kwh(value)
    if "price" in field:
        return numbers.money(value)
    if field.endswith("_limit_kw") and value == NO_LIMIT_KW:
        return page_words("setup", numbers.language)("review_no_limit")
    text = numbers.number(value, _count_decimals(value))
    unit = next((unit for ending, unit in _UNITS.items() if field.endswith(ending)), "")
    return join_unit(text, unit, numbers.language)


def _count_decimals(value: float) -> int:
    """Return how many decimals a number needs, three at most."""
    if not math.isfinite(value):
        return 0
    return len(f"{value:.3f}".rstrip("0").partition(".")[2])


def _say_text(path: str, field: str, value: str, language: Language) -> str | None:
    if field in _TEXTS or "input_sensors" in path:
        return value
    if field == "kind":
        section = path.split(".")[-2]
        return _say_option(f"{section}_kind", value, language)
    return _say_option(field, value, language)


def _say_option(field: str, value: str, language: Language) -> str | None:
    words = page_words("setup", language)
    option = f"option_{field}_{value}"
    return words(option) if words.knows(option) else None


def _say_sensors(entries: list[Any], numbers: Numbers) -> str:
    names = []
    for sensor in entries:
        name = sensor.get("sensor", "") if isinstance(sensor, Mapping) else sensor
        names.append(str(name))
    return ", ".join(dict.fromkeys(names)) or numbers.number(None)
