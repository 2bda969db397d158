"""Inverters that PV and a battery share, or that PV has for itself."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from luna.site.devices import Battery, PvArray
from luna.site.part import Name, Part


class Inverter(Part):
    """An inverter: what passes it either way is at most ``ac_limit_kw``.

    With a battery it is a hybrid one: PV beyond the limit goes into the battery, which stands on the same DC side, or is lost. Without one, it is lost.
    """

    name: Name = "inverter"
    ac_limit_kw: Annotated[float, Field(gt=0, le=10_000)]
    pv: Annotated[list[Name], Field(max_length=32)] = []
    batteries: Annotated[list[Name], Field(max_length=1, description="modules that are charged as one are one battery")] = []


def require_connected(inverters: Sequence[Inverter], *, pv: Sequence[PvArray], batteries: Sequence[Battery]) -> None:
    """Refuse inverters of unknown parts, parts behind two of them, and inverters of nothing.

    Raises:
        ValueError: names inverter and part.
    """
    for kind, parts in (("pv", pv), ("batteries", batteries)):
        named = [(inverter.name, name) for inverter in inverters for name in getattr(inverter, kind)]
        known, counts = {part.name for part in parts}, Counter(name for _, name in named)
        for inverter, name in named:
            if name not in known:
                raise ValueError(f"inverters: {inverter} names {name!r}, which is not under {kind}")
            if counts[name] > 1:
                raise ValueError(f"inverters: {name!r} stands behind two of them; one carries it")
    empty = next((inverter.name for inverter in inverters if not inverter.pv and not inverter.batteries), None)
    if empty is not None:
        raise ValueError(f"inverters: {empty} carries neither pv nor batteries; name them, or leave it out")
