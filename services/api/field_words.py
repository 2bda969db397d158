"""What a field of the gateway's messages means: one name means one thing, and carries its unit. ``field_words.txt`` says it of those that say more."""

from functools import cache
from pathlib import Path

from luna.words.catalogue import ENGLISH
from luna.words.devices import FIELDS

# What a name ends with says its unit.
UNITS = {
    "_kwh": "energy, kWh",
    "_kw": "power, kW",
    "_g": "grams",
    "_soc": "state of charge, 0–1",
    "_c": "degrees Celsius",
    "_minutes": "minutes",
    "_hours": "hours",
    "_ms": "milliseconds",
    "_milliseconds": "milliseconds",
    "_seconds": "seconds",
    "_s": "seconds",
    "_price": "currency/kWh",
    "_share": "a share, 0–1",
    "_factor": "a factor",
    "_a": "amperes",
    "_deg": "degrees",
    "_day": "a local day of the site, or per day",
    "_days": "days",
    "_at": "an instant",
    "_until": "an instant",
    "_count": "how many",
}


def describe_field(name: str) -> str | None:
    """Return what a field's name says; None where it says nothing."""
    if (words := _read_words().get(name)) is not None:
        return words
    if name in FIELDS:
        return FIELDS.say(name, ENGLISH)
    suffix = next((suffix for suffix in UNITS if name.endswith(suffix)), None)
    return None if suffix is None else f"{name.removesuffix(suffix).replace('_', ' ')}: {UNITS[suffix]}"


@cache
def _read_words() -> dict[str, str]:
    lines = Path(__file__).with_name("field_words.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split(" = ", 1) for line in lines if not line.startswith("#"))
