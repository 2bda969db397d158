"""Convert the owner's manual blocks into bans and forced energies per slot."""

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

    Those for flexible loads are in their demands. Battery arrays are ``(batteries, slots)``, the
    grid's ``(slots,)``. Pinned energies are kWh at the terminals, NaN where free. Once a model has
    decided how much of the pins can be met, ``full`` and ``empty`` (``(batteries, slots)``) mark
    the slots in which a full or empty battery ends them. ``refused`` maps a block's position in the
    request to the reason why it cannot be met.
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
        if self.full is None or self.empty is None:
            return False
        return bool(self.full.any() or self.empty.any())

    def direction(self, index: int) -> Direction:
        """Return one battery's allowed directions, with its forced energies once decided."""
        return Direction(
            ~self.no_import,
            ~self.no_export,
            self.may_charge[index],
            self.may_discharge[index],
            charge_kwh=self.charge_kwh[index] if self.decided else None,
            discharge_kwh=self.discharge_kwh[index] if self.decided else None,
        )

    def of_battery(self, index: int) -> "Manual":
        """Return the bans and pins of one battery, with the grid's."""
        battery = slice(index, index + 1)
        return replace(
            self,
            may_charge=self.may_charge[battery],
            may_discharge=self.may_discharge[battery],
            charge_kwh=self.charge_kwh[battery],
            discharge_kwh=self.discharge_kwh[battery],
            full=None if self.full is None else self.full[battery],
            empty=None if self.empty is None else self.empty[battery],
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
        # NaN where nothing is pinned.
        charge = np.minimum(self.charge_kwh, charge_kwh)
        discharge = np.minimum(self.discharge_kwh, discharge_kwh)
        return replace(
            self,
            charge_kwh=charge,
            discharge_kwh=discharge,
            full=full & (self.charge_kwh - charge > SAME_KWH),
            empty=empty & (self.discharge_kwh - discharge > SAME_KWH),
        )

    def narrow(self, limits: SiteLimits) -> SiteLimits:
        """Return the limits with an import or export limit of 0 in slots of a ban."""
        import_limit_kw = None
        export_limit_kw = None
        if self.no_import.any():
            import_limit_kw = np.where(self.no_import, 0.0, np.inf)
        if self.no_export.any():
            export_limit_kw = np.where(self.no_export, 0.0, np.inf)
        return limits.narrow(import_limit_kw, export_limit_kw)


@dataclass
class _Reader:
    """Collects blocks into per-slot arrays."""

    site: Site
    timeline: Timeline
    demands: Sequence[Demand]

    def __post_init__(self) -> None:
        slots = self.timeline.count
        shape = (len(self.site.batteries), slots)
        self.may_charge = np.ones(shape, dtype=bool)
        self.may_discharge = np.ones(shape, dtype=bool)
        self.charge = np.full(shape, np.nan)
        self.discharge = np.full(shape, np.nan)
        self.no_import = np.zeros(slots, dtype=bool)
        self.no_export = np.zeros(slots, dtype=bool)
        self.loads = list(self.demands)

    def add(self, block: ManualBlock, hours: FloatArray) -> str | None:
        """Add a block to its slots; return why it cannot be met, or None."""
        device = find_device(block, self.site)
        inside = hours > 0
        if block.device == GRID and block.action == "no_import":
            self.no_import[inside] = True
            return None
        if block.device == GRID and block.action == "no_export":
            self.no_export[inside] = True
            return None
        if isinstance(device, Battery):
            self._add_battery(block, device, hours)
            return None
        kind = find_planned_kind(self.site, device)
        for place, demand in enumerate(self.loads):
            if demand.section != kind.section or demand.name != block.device:
                continue
            pinned = demand.pin(block, hours, self.timeline.hours)
            if pinned is not None:
                self.loads[place] = pinned
                return None
        why = kind.refuse_block(block, device)
        return f"{block.device} {why}" if why else why

    def _add_battery(self, block: ManualBlock, battery: Battery, hours: FloatArray) -> None:
        names = [site_battery.name for site_battery in self.site.batteries]
        index = names.index(battery.name)
        inside = hours > 0
        if block.action in _NO_CHARGE:
            self.may_charge[index, inside] = False
        if block.action in _NO_DISCHARGE:
            self.may_discharge[index, inside] = False
        if block.action == "charge":
            power_kw = block.power_kw or battery.charge_limit_kw
            self.charge[index, inside] = power_kw * hours[inside]
        if block.action == "discharge":
            power_kw = block.power_kw or battery.discharge_limit_kw
            self.discharge[index, inside] = power_kw * hours[inside]

    def manual(self, refused: Mapping[int, str]) -> Manual:
        """Return the blocks added so far."""
        return Manual(
            self.may_charge,
            self.may_discharge,
            self.charge,
            self.discharge,
            self.no_import,
            self.no_export,
            refused=refused,
        )


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
        if index in refused or not (hours > 0).any():
            continue
        why = reader.add(block, hours)
        if why is None:
            continue
        if block.block_id is None:
            raise refuse("block-impossible", field=f"manual.{index}", value=block.device, why=why)
        refused[index] = why
    return reader.manual(refused), tuple(reader.loads)


def _refuse(blocks: Sequence[ManualBlock], site: Site, *, now: datetime) -> dict[int, str]:
    """Refuse the request's own impossible blocks, and return the impossible stored ones.

    A stored block's site may have changed. The reasons are by the block's position.
    """
    check_blocks([block for block in blocks if block.block_id is None], site, now=now)
    refused: dict[int, str] = {}
    for index, block in enumerate(blocks):
        if block.block_id is None or block.to <= now:
            continue
        others = [other for place, other in enumerate(blocks[:index]) if place not in refused]
        try:
            check_block(block, site, now=now)
            check_beside(block, others, ZoneInfo(site.timezone))
        except InvalidInputError as error:
            refused[index] = error.message
    return refused
