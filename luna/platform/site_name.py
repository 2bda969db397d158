"""Derive a site's id from its display name."""

import re
from collections.abc import Collection

from anyascii import anyascii

# German transliteration of umlauts, which differs from dropping the dots.
_SPELLED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_ELSE = re.compile(r"[^a-z0-9]+")
_MOST = 56
_UNNAMED = "home"


def identifier_of(called: str) -> str:
    """Return the id for a display name: lower-case Latin letters and digits, joined by ``_``."""
    plain = _ELSE.sub("_", anyascii(called.lower().translate(_SPELLED)).lower())
    return plain[:_MOST].strip("_") or _UNNAMED


def free_identifier(identifier: str, names: Collection[str]) -> str:
    """Return ``identifier``, with the first free number appended if it is taken."""
    taken = {name.casefold() for name in names}
    free = identifier
    number = 1
    while free in taken:
        number += 1
        free = f"{identifier}_{number}"
    return free
