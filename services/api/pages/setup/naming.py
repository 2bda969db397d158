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


def free_identifier(wanted: str, taken: Collection[str]) -> str:
    """Return an id that no site has: the wanted one, else with the first number that is free behind it."""
    known = {name.casefold() for name in taken}
    return next(free for number in range(1, len(known) + 2) if (free := wanted if number == 1 else f"{wanted}_{number}") not in known)
