"""Convert the owner's manual blocks into per-slot bans and forced energies of batteries, grid and
demands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.owner import GRID, ManualBlock
from luna.contracts.owner_constraints import check_beside, check_block, check_blocks, find_device
from luna.energy.devices.battery import Battery
from luna.energy.errors import InvalidInputError
from luna.energy.physics.limits import SiteLimits
from luna.energy.physics.mode import BoolArray
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.timeline import FloatArray, Timeline
from services.planner.devices import find_planned_kind
from services.planner.devices.kind import Demand
from services.planner.problem.directions import Direction

# Above the solver's integrality tolerance.
SAME_KWH = 1e-5
_NO_CHARGE = ("no_charge", "hold", "discharge")
_NO_DISCHARGE = ("no_discharge", "hold", "charge")


@dataclass(frozen=True, slots=True)
class Manual:
    """The owner's bans and pins per slot for batteries and grid.

    Those for flexible loads are in their demands.

    Battery arrays are ``(batteries, slots)``, the grid's ``(slots,)``. Pinned energies are kWh at
    the terminals, NaN where free. Once a model has decided how much of the pins can be met,
    ``full`` and ``empty`` (``(batteries, slots)``) mark where a full or empty battery ends them.
    ``refused`` maps a block's position in the request to why it cannot be met.
    """

    may_charge: BoolArray
    may_discharge: BoolArray
    charge_kwh: FloatArray
    discharge_kwh: FloatArray
    no_import: BoolArray
    no_export: BoolArray
    full: BoolArray | None = None
    empty: BoolArray | None = None
    refused: Mapping[int, str] = field(default_factory=dict)

    @property
    def pins(self) -> bool:
        """Whether any battery is forced to charge or discharge."""
        return bool(np.isfinite(self.charge_kwh).any() or np.isfinite(self.discharge_kwh).any())

    @property
    def decided(self) -> bool:
        """Whether the pinned energies are those of a solved model."""
        return self.full is not None

    @property
    def ends(self) -> bool:
        """Whether a full or empty battery ends a pin."""
        return bool(
            self.full is not None
            and self.empty is not None
            and (self.full.any() or self.empty.any())
        )

    def direction(self, index: int) -> Direction:
        """Return one battery's allowed directions, with its forced energies once they are
        decided.
        """
        grid = (~self.no_import, ~self.no_export)
        fixed = (
            (self.charge_kwh[index], self.discharge_kwh[index]) if self.decided else (None, None)
        )
        return Direction(*grid, self.may_charge[index], self.may_discharge[index], *fixed)

    def of_battery(self, index: int) -> "Manual":
        """Return the bans and pins of one battery, with the grid's."""
        own = slice(index, index + 1)
        parts = {
            name: getattr(self, name)
            for name in (
                "may_charge",
                "may_discharge",
                "charge_kwh",
                "discharge_kwh",
                "full",
                "empty",
            )
        }
        return replace(
            self, **{name: part[own] for name, part in parts.items() if part is not None}
        )

    def decide(
        self,
        charge_kwh: FloatArray,
        discharge_kwh: FloatArray,
        *,
        full: BoolArray,
        empty: BoolArray,
    ) -> "Manual":
        """Return the blocks with pinned energies reduced to those of a solved model.

        ``full`` and ``empty`` mark its batteries.
        """
        charge = np.where(
            np.isfinite(self.charge_kwh), np.minimum(charge_kwh, self.charge_kwh), np.nan
        )
        discharge = np.where(
            np.isfinite(self.discharge_kwh), np.minimum(discharge_kwh, self.discharge_kwh), np.nan
        )
        less = [
            pinned_kwh - decided_kwh > SAME_KWH
            for pinned_kwh, decided_kwh in (
                (self.charge_kwh, charge),
                (self.discharge_kwh, discharge),
            )
        ]
        return replace(
            self,
            charge_kwh=charge,
            discharge_kwh=discharge,
            full=full & less[0],
            empty=empty & less[1],
        )

    def narrow(self, limits: SiteLimits) -> SiteLimits:
        """Return the limits with an import or export limit of 0 in slots of a ban."""
        imports, exports = (
            np.where(none, 0.0, np.inf) if none.any() else None
            for none in (self.no_import, self.no_export)
        )
        return limits.narrow(imports, exports)


@dataclass
class _Reader:
    """Collects blocks into per-slot arrays."""

    site: Site
    timeline: Timeline
    demands: Sequence[Demand]

    def __post_init__(self) -> None:
        slots = self.timeline.count
        batteries = len(self.site.batteries)
        self.may_charge, self.may_discharge = (
            np.ones((batteries, slots), dtype=bool),
            np.ones((batteries, slots), dtype=bool),
        )
        self.charge, self.discharge = (
            np.full((batteries, slots), np.nan),
            np.full((batteries, slots), np.nan),
        )
        self.no_import, self.no_export = np.zeros(slots, dtype=bool), np.zeros(slots, dtype=bool)
        self.loads = list(self.demands)

    def add(self, block: ManualBlock, hours: FloatArray) -> str | None:
        """Add a block to its slots; return why it cannot be met, or None."""
        device = find_device(block, self.site)
        inside = hours > 0
        if block.device == GRID and block.action in ("no_import", "no_export"):
            (self.no_import if block.action == "no_import" else self.no_export)[inside] = True
            return None
        if isinstance(device, Battery):
            self._add_battery(block, device, hours)
            return None
        kind = find_planned_kind(self.site, device)
        for place, demand in enumerate(self.loads):
            named = (demand.section, demand.name) == (kind.section, block.device)
            if named and (pinned := demand.pin(block, hours, self.timeline.hours)) is not None:
                self.loads[place] = pinned
                return None
        why = kind.refuse_block(block, device)
        return why and f"{block.device} {why}"

    def _add_battery(self, block: ManualBlock, battery: Battery, hours: FloatArray) -> None:
        index = [each.name for each in self.site.batteries].index(battery.name)
        inside = hours > 0
        self.may_charge[index] &= ~(inside & (block.action in _NO_CHARGE))
        self.may_discharge[index] &= ~(inside & (block.action in _NO_DISCHARGE))
        if block.action == "charge":
            self.charge[index, inside] = ((block.power_kw or battery.charge_limit_kw) * hours)[
                inside
            ]
        if block.action == "discharge":
            self.discharge[index, inside] = (
                (block.power_kw or battery.discharge_limit_kw) * hours
            )[inside]

    def manual(self, refused: Mapping[int, str]) -> Manual:
        """Return the blocks added so far."""
        batteries = (self.may_charge, self.may_discharge, self.charge, self.discharge)
        return Manual(*batteries, self.no_import, self.no_export, refused=refused)


def block_hours(block: ManualBlock, timeline: Timeline) -> FloatArray:
    """Return the hours of each slot that a block covers, shape ``(slots,)``."""
    return timeline.overlap_hours(block.from_, block.to)


def read_blocks(
    blocks: Sequence[ManualBlock], site: Site, demands: Sequence[Demand], timeline: Timeline
) -> tuple[Manual, tuple[Demand, ...]]:
    """Return an owner's blocks on a plan's slots, and the demands with their pins.

    Args:
        blocks: of the request; stored ones (with a ``block_id``) were checked when they were added.
        site: with the devices that blocks name.
        demands: of flexible loads over the timeline.
        timeline: the plan's slots; blocks outside it have no effect.

    Raises:
        InvalidInputError: a block that is not stored cannot be met.
    """
    reader = _Reader(site, timeline, demands)
    refused = _refuse(blocks, site, now=timeline.begin)
    for index, block in enumerate(blocks):
        hours = block_hours(block, timeline)
        why = reader.add(block, hours) if index not in refused and (hours > 0).any() else None
        if why is not None and block.block_id is None:
            raise refuse("block-impossible", field=f"manual.{index}", value=block.device, why=why)
        if why is not None:
            refused[index] = why
    return reader.manual(refused), tuple(reader.loads)


def _refuse(blocks: Sequence[ManualBlock], site: Site, *, now: datetime) -> dict[int, str]:
    """Refuse the request's own impossible blocks.

    Return the impossible stored ones, whose site may have changed, with their reasons by position.
    """
    check_blocks([block for block in blocks if block.block_id is None], site, now=now)
    refused = {}
    for index, block in enumerate(blocks):
        if block.block_id is not None and block.to > now:
            others = [other for place, other in enumerate(blocks[:index]) if place not in refused]
            try:
                check_block(block, site, now=now)
                check_beside(block, others, ZoneInfo(site.timezone))
            except InvalidInputError as error:
                refused[index] = error.message
    return refused
