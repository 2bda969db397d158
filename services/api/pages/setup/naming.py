"""What a site is called, and the id that follows from it."""

import re
from collections.abc import Collection

from anyascii import anyascii

# What is not spelled in German as it looks.
_SPELLED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_ELSE = re.compile(r"[^a-z0-9]+")
_MOST, _UNNAMED = 56, "home"


def identifier_of(called: str) -> str:
    """Return a site's id for what its owner calls it: small Latin letters and digits, joined by _."""
    plain = _ELSE.sub("_", anyascii(called.lower().translate(_SPELLED)).lower())
    return plain[:_MOST].strip("_") or _UNNAMED


def free_identifier(identifier: str, names: Collection[str]) -> str:
    """Return an id that no site has: ``identifier``, else with the first number that is free behind it."""
    lowered = {name.casefold() for name in names}
    return next(free for number in range(1, len(lowered) + 2) if (free := identifier if number == 1 else f"{identifier}_{number}") not in lowered)
