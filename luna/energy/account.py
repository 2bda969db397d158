"""The account of a period: sources, uses and costs of a site's energy.

Every page, answer and metric that tells energy or money of the past reads this account, so that no
two of them differ.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import fsum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from luna.energy.economics.base_charges import list_base_costs
from luna.energy.economics.charges import demand_charge
from luna.energy.economics.costs import self_sufficiency
from luna.energy.economics.tariff_lines import TariffLine
from luna.energy.site import SUBMETERED, Site
from luna.energy.timeline import FloatArray, Timeline, parse_zone

BoolArray = NDArray[np.bool_]
Direction = Literal["import", "export", "base"]

# Sources and uses of energy. ``load`` is the house without the devices that have a meter of their
# own.
SOURCES = ("pv", "import", "discharge")
CONSUMERS = ("load", *(series.removesuffix("_kwh") for series in SUBMETERED))
USES = (*CONSUMERS, "export", "charge")
FLOWS = (*SOURCES, *USES)


@dataclass(frozen=True, slots=True)
class AccountSlots:
    """Counted energies and their costs per slot.

    Attributes:
        energy_kwh: energy by flow of ``FLOWS``, shape ``(slots,)``, NaN where unknown.
        estimated: by flow, where the energy was filled to a meter's total, shape ``(slots,)``.
        import_lines: the parts of the price of bought energy.
        export_lines: the parts of the price of sold energy.
    """

    site: Site
    timeline: Timeline
    energy_kwh: Mapping[str, FloatArray]
    estimated: Mapping[str, BoolArray]
    import_lines: Sequence[TariffLine]
    export_lines: Sequence[TariffLine]

    @property
    def cost(self) -> FloatArray:
        """Cost of energy at the meter per slot, NaN where it is unknown.

        A site that never measured export sold nothing.
        """
        sold = -_cost_of(self.export_lines, self.energy_kwh["export"])
        if not np.isfinite(self.energy_kwh["export"]).any():
            sold = np.zeros(self.timeline.count)
        return _cost_of(self.import_lines, self.energy_kwh["import"]) + sold

    def window(self, first: int, count: int) -> "AccountSlots":
        """Return the account's slots from ``first`` on."""
        part = slice(first, first + count)
        return AccountSlots(
            site=self.site,
            timeline=self.timeline.window(first, count),
            energy_kwh={name: values[part] for name, values in self.energy_kwh.items()},
            estimated={name: marks[part] for name, marks in self.estimated.items()},
            import_lines=[line.window(part) for line in self.import_lines],
            export_lines=[line.window(part) for line in self.export_lines],
        )


@dataclass(frozen=True, slots=True)
class FlowTotal:
    """The energy of one flow over a period.

    Attributes:
        energy_kwh: sum of the known slots.
        estimated_kwh: the part of it that was filled to a meter's total.
        known: share of the period's slots with a value.
    """

    name: str
    energy_kwh: float
    estimated_kwh: float
    known: float


@dataclass(frozen=True, slots=True)
class CostLine:
    """One line of a bill: energy, cost and, where one holds, its price.

    The price is in currency per kWh, None where it changes within the line. Earnings are negative
    costs. ``name`` is the owner's for a component of the tariff, None where the code says it. The
    line is for what lies beyond ``beyond_kwh`` or ``beyond_hours``, None where it is for all
    energy.
    ``first_day`` and ``last_day`` are local days, where the component begins or ends within the
    period.
    """

    direction: Direction
    code: str
    energy_kwh: float
    cost: float
    price: float | None = None
    name: str | None = None
    beyond_kwh: float | None = None
    beyond_hours: float | None = None
    first_day: date | None = None
    last_day: date | None = None


@dataclass(frozen=True, slots=True)
class UseShare:
    """The sources of the energy of one use, and its cost at the meter.

    Each slot's sources serve all uses of that slot in proportion.
    """

    name: str
    energy_kwh: float
    solar_kwh: float
    grid_kwh: float
    battery_kwh: float
    cost: float


@dataclass(frozen=True, slots=True)
class EnergyAccount:
    """A site's energy and money from ``start`` to ``end``.

    Invariants: sources equal uses and ``unexplained_kwh``; ``cost`` is the sum of the lines and
    ``demand_cost``.

    Attributes:
        sources: PV, import and discharge, those that are recorded.
        uses: house, metered devices, export and charge, those that are recorded.
        unexplained_kwh: what the meters leave open: losses, and flows that were not recorded.
            Negative where more was used than delivered.
        lines: the bill's lines for energy.
        demand_cost: the capacity tariff of the period's months; None without one, or where the
            period does not begin with a month.
        priced: share of the slots whose cost is known.
        use_shares: where the energy of each use came from, over the slots in which all recorded
            flows are known.
    """

    start: datetime
    end: datetime
    sources: Sequence[FlowTotal]
    uses: Sequence[FlowTotal]
    unexplained_kwh: float
    lines: Sequence[CostLine]
    demand_cost: float | None
    priced: float
    self_sufficiency: float | None
    use_shares: Sequence[UseShare]

    def flow(self, name: str) -> FlowTotal | None:
        """Return a flow's total; None where it was never recorded in the period."""
        flows = (*self.sources, *self.uses)
        return next((flow for flow in flows if flow.name == name), None)

    def energy(self, name: str) -> float:
        """Return a flow's energy, kWh; 0 where it was not recorded."""
        flow = self.flow(name)
        return 0.0 if flow is None else flow.energy_kwh

    @property
    def consumption_kwh(self) -> float:
        """The energy used by the house and all metered devices."""
        return fsum(flow.energy_kwh for flow in self.uses if flow.name in CONSUMERS)

    @property
    def import_cost(self) -> float:
        """Cost of the imported energy."""
        return fsum(line.cost for line in self.lines if line.direction == "import")

    @property
    def export_cost(self) -> float:
        """Earnings for the exported energy, negative."""
        return fsum(line.cost for line in self.lines if line.direction == "export")

    @property
    def base_cost(self) -> float:
        """Cost of the base charges."""
        return fsum(line.cost for line in self.lines if line.direction == "base")

    @property
    def energy_cost(self) -> float | None:
        """Cost of energy without demand charges; None where no slot's cost is known."""
        return self.import_cost + self.export_cost if self.priced > 0 else None

    @property
    def cost(self) -> float | None:
        """Cost with demand and base charges, where they belong to the period.

        None where nothing is known of it.
        """
        if self.energy_cost is None:
            return None
        return self.energy_cost + self.base_cost + (self.demand_cost or 0.0)

    @property
    def own_use(self) -> float | None:
        """Share of the produced energy that was not sold; None where either is unknown."""
        pv = self.flow("pv")
        export = self.flow("export")
        if pv is None or export is None or pv.energy_kwh <= 0:
            return None
        return max(1.0 - export.energy_kwh / pv.energy_kwh, 0.0)

    @property
    def known(self) -> float:
        """The lowest known share among the recorded flows."""
        return min((flow.known for flow in (*self.sources, *self.uses)), default=0.0)

    @property
    def estimated_kwh(self) -> float:
        """Energy of all flows that was filled to a meter's total."""
        return fsum(flow.estimated_kwh for flow in (*self.sources, *self.uses))


def settle_account(slots: AccountSlots, *, with_demand: bool = True) -> EnergyAccount:
    """Return the account of all slots.

    ``with_demand``: with capacity tariff and base charges, where they begin with a month.
    """
    lines = [*_cost_lines("import", slots), *_cost_lines("export", slots)]
    demand_cost = None
    if with_demand and _begins_with_month(slots):
        lines += _base_lines(slots)
        demand_cost = _demand_cost(slots)
    sources = [_total(slots, name) for name in SOURCES if _is_recorded(slots, name)]
    uses = [_total(slots, name) for name in USES if _is_recorded(slots, name)]
    supplied = fsum(flow.energy_kwh for flow in sources)
    used = fsum(flow.energy_kwh for flow in uses)
    return EnergyAccount(
        start=slots.timeline.start,
        end=slots.timeline.end,
        sources=sources,
        uses=uses,
        unexplained_kwh=supplied - used,
        lines=lines,
        demand_cost=demand_cost,
        priced=float(np.isfinite(slots.cost).mean()),
        self_sufficiency=_self_sufficiency(slots),
        use_shares=_share_uses(slots),
    )


def consumption(slots: AccountSlots) -> FloatArray:
    """Return the energy used by house and metered devices per slot, kWh, shape ``(slots,)``.

    NaN where the house's is unknown.
    """
    total = slots.energy_kwh["load"].copy()
    for name in CONSUMERS[1:]:
        total += np.nan_to_num(slots.energy_kwh[name])
    return total


def _is_recorded(slots: AccountSlots, name: str) -> bool:
    return bool(np.isfinite(slots.energy_kwh[name]).any())


def _total(slots: AccountSlots, name: str) -> FlowTotal:
    energy = slots.energy_kwh[name]
    is_known = np.isfinite(energy)
    is_estimated = is_known & slots.estimated[name]
    return FlowTotal(
        name,
        energy_kwh=fsum(energy[is_known].tolist()),
        estimated_kwh=fsum(energy[is_estimated].tolist()),
        known=float(is_known.mean()),
    )


def _cost_of(lines: Sequence[TariffLine], energy_kwh: FloatArray) -> FloatArray:
    """Return the cost per slot, NaN where energy or price is unknown."""
    cost = np.zeros(energy_kwh.size)
    for line in lines:
        cost = cost + line.slot_cost(energy_kwh)
    return cost


def _cost_lines(direction: Direction, slots: AccountSlots) -> list[CostLine]:
    """Return the bill's lines over slots with a known cost, which add up."""
    energy = slots.energy_kwh[direction]
    priced = np.isfinite(slots.cost) & np.isfinite(energy)
    if not priced.any():
        return []
    if direction == "import":
        lines = slots.import_lines
        sign = 1.0
    else:
        lines = slots.export_lines
        sign = -1.0
    bill = []
    for line in lines:
        counted = priced & line.holds
        if not counted.any():
            continue
        cost = sign * fsum(line.slot_cost(energy)[counted].tolist())
        line_kwh = energy if line.energy_kwh is None else line.energy_kwh
        first_day, last_day = _find_days(line, slots)
        bill.append(
            CostLine(
                direction,
                line.code,
                energy_kwh=fsum(line_kwh[counted].tolist()),
                cost=cost,
                price=line.price,
                name=line.name,
                beyond_kwh=line.beyond_kwh,
                beyond_hours=line.beyond_hours,
                first_day=first_day,
                last_day=last_day,
            )
        )
    return bill


def _find_days(line: TariffLine, slots: AccountSlots) -> tuple[date | None, date | None]:
    """Return a line's first and last local day; None where it holds for the whole period."""
    zone = parse_zone(slots.site.timezone)
    first = slots.timeline.start.astimezone(zone).date()
    last = (slots.timeline.end - slots.timeline.step).astimezone(zone).date()
    begins = line.valid_from is not None and line.valid_from > first
    ends = line.valid_to is not None and line.valid_to <= last
    if not begins and not ends:
        return None, None
    if begins and line.valid_from is not None:
        first = line.valid_from
    if ends and line.valid_to is not None:
        last = line.valid_to - timedelta(days=1)
    return first, last


def _begins_with_month(slots: AccountSlots) -> bool:
    begin = slots.timeline.start.astimezone(parse_zone(slots.site.timezone))
    return begin.day == 1 and begin.hour == 0 and begin.minute == 0


def _base_lines(slots: AccountSlots) -> list[CostLine]:
    zone = parse_zone(slots.site.timezone)
    costs = list_base_costs(slots.site.tariff.base, slots.timeline, zone)
    return [CostLine("base", "base", 0.0, cost, name=name) for name, cost in costs.items()]


def _demand_cost(slots: AccountSlots) -> float | None:
    peaks = slots.site.tariff.peaks
    if not peaks:
        return None
    zone = parse_zone(slots.site.timezone)
    import_kwh = np.nan_to_num(slots.energy_kwh["import"])
    return demand_charge(import_kwh, slots.timeline, peaks, zone=zone)


def _self_sufficiency(slots: AccountSlots) -> float | None:
    bought = slots.energy_kwh["import"]
    used = consumption(slots)
    are_known = np.isfinite(bought) & np.isfinite(used)
    return self_sufficiency(bought[are_known], used[are_known])


def _share_uses(slots: AccountSlots) -> list[UseShare]:
    sources = {name: np.nan_to_num(slots.energy_kwh[name]) for name in SOURCES}
    uses = [name for name in USES if _is_recorded(slots, name)]
    recorded = [name for name in FLOWS if _is_recorded(slots, name)]
    all_known = np.full(slots.timeline.count, bool(recorded))
    for name in recorded:
        all_known &= np.isfinite(slots.energy_kwh[name])
    supplied = sum(sources.values(), np.zeros(slots.timeline.count))
    if "import" not in recorded:
        # What the measured sources do not deliver comes from the grid, unseen.
        used = [np.nan_to_num(slots.energy_kwh[name]) for name in uses]
        supplied = np.maximum(supplied, np.sum(used, axis=0))
    # Where nothing is supplied nothing can be shared.
    can_share = all_known & (supplied > 0)
    source_shares = {}
    for name, values in sources.items():
        nothing = np.zeros_like(supplied)
        source_shares[name] = np.divide(values, supplied, out=nothing, where=can_share)
    price = _mean_import_price(slots)
    use_shares = []
    for name in uses:
        energy = np.where(all_known, np.nan_to_num(slots.energy_kwh[name]), 0.0)
        grid = energy * source_shares["import"]
        # Devices with a price of their own pay it beside that of the meter.
        own_lines = [line for line in slots.import_lines if line.flow == name]
        own_cost = np.where(all_known, _cost_of(own_lines, energy), 0.0)
        use_shares.append(
            UseShare(
                name,
                energy_kwh=float(energy.sum()),
                solar_kwh=float((energy * source_shares["pv"]).sum()),
                grid_kwh=float(grid.sum()),
                battery_kwh=float((energy * source_shares["discharge"]).sum()),
                cost=float(np.nansum(grid * price) + np.nansum(own_cost)),
            )
        )
    return use_shares


def _mean_import_price(slots: AccountSlots) -> FloatArray:
    """Return the mean price of a slot's bought energy, NaN where it is unknown.

    Prices of what devices draw are theirs alone.
    """
    bought_kwh = slots.energy_kwh["import"]
    lines = [line for line in slots.import_lines if line.flow is None]
    cost = _cost_of(lines, bought_kwh)
    # Where nothing was bought it is the price of the first kWh.
    lines_of_first_kwh = [line for line in lines if line.surcharge is None]
    price = _cost_of(lines_of_first_kwh, np.ones(cost.size))
    return np.divide(cost, bought_kwh, out=price, where=bought_kwh > 0)
