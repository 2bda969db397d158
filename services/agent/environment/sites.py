"""Sites side by side: limits and wear as columns, one site each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np

from luna.energy.errors import InvalidInputError
from luna.energy.physics import BatteryLimits, InverterLimits, SiteLimits
from luna.energy.site import Site
from luna.energy.timeline import FloatArray, IndexArray

Change = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, slots=True)
class SiteColumns:
    """Limits and wear of sites, the last axis of each array counting them; what is the same for all sites has a single column."""

    limits: SiteLimits
    wear_price: FloatArray

    @classmethod
    def of(cls, sites: Sequence[Site]) -> Self:
        """Return the columns of sites.

        Raises:
            InvalidInputError: sites with different numbers of batteries.
        """
        counts = {len(site.batteries) for site in sites}
        if len(counts) != 1:
            remedy = "Make one batch of the sites with each number of batteries."
            raise InvalidInputError("sites side by side need the same number of batteries", field="sites", value=str(sorted(counts)), remedy=remedy)
        limits = _pad_inverters([SiteLimits.of(site) for site in sites], batteries=counts.pop())
        wear = [np.array([[battery.wear_price] for battery in site.batteries]) for site in sites]
        return cls(*_collapse(_join(limits), np.concatenate(wear, axis=-1)))

    def pick(self, sites: IndexArray) -> Self:
        """Return the columns of some of the sites, in this order; they may come more than once."""

        def pick(column: FloatArray) -> FloatArray:
            return column if column.shape[-1] == 1 else column[..., sites]

        return type(self)(_map_limits(self.limits, pick), pick(self.wear_price))

    def columns(self) -> list[FloatArray]:
        """Return all arrays, always in the same order."""
        arrays: list[FloatArray] = []

        def note(column: FloatArray) -> FloatArray:
            arrays.append(column)
            return column

        _map_limits(self.limits, note)
        return [*arrays, self.wear_price]

    def filled(self, columns: Sequence[FloatArray]) -> Self:
        """Return the same with other arrays, in the order of ``columns``."""
        remaining = iter(columns)
        return type(self)(_map_limits(self.limits, lambda _: next(remaining)), next(remaining))


def _map_limits(limits: SiteLimits, change: Change) -> SiteLimits:
    columns: dict[str, Any] = {each.name: change(getattr(limits.batteries, each.name)) for each in fields(BatteryLimits)}
    grid: dict[str, Any] = {name: change(getattr(limits, name)) for name in ("import_limit_kw", "export_limit_kw", "curtailable")}
    behind = limits.inverters
    if behind is not None:
        behind = InverterLimits(**{each.name: change(getattr(behind, each.name)) for each in fields(InverterLimits)})
    return SiteLimits(BatteryLimits(**columns), inverters=behind, **grid)


def _join(parts: Sequence[SiteLimits]) -> SiteLimits:
    """Return limits of one site each as those of sites side by side."""
    flat = [iter(_list_columns(each)) for each in parts]
    return _map_limits(parts[0], lambda _: np.concatenate([next(each) for each in flat], axis=-1))


def _list_columns(limits: SiteLimits) -> list[FloatArray]:
    return SiteColumns(limits, np.empty((1, 1))).columns()[:-1]


def _collapse(limits: SiteLimits, wear_price: FloatArray) -> tuple[SiteLimits, FloatArray]:
    def collapse(column: FloatArray) -> FloatArray:
        same = column.size and (column == column[..., :1]).all()
        return column[..., :1].copy() if same else np.ascontiguousarray(column)

    return _map_limits(limits, collapse), collapse(wear_price)


def _pad_inverters(parts: list[SiteLimits], *, batteries: int) -> list[SiteLimits]:
    """Return limits of which all have as many inverters: those that a site lacks carry no PV and limit nothing."""
    if all(each.inverters is None for each in parts):
        return parts
    alone = max(0 if each.inverters is None else len(each.inverters.alone_share) for each in parts)
    return [replace(each, inverters=_pad(each.inverters, batteries, alone)) for each in parts]


def _pad(inverters: InverterLimits | None, batteries: int, alone: int) -> InverterLimits:
    if inverters is None:
        inverters = InverterLimits(np.zeros((batteries, 1)), np.full((batteries, 1), np.inf), np.empty((0, 1)), np.empty((0, 1)))
    lacking = alone - len(inverters.alone_share)
    shares = np.concatenate([inverters.alone_share, np.zeros((lacking, 1))])
    return replace(inverters, alone_share=shares, alone_limit_kw=np.concatenate([inverters.alone_limit_kw, np.full((lacking, 1), np.inf)]))
