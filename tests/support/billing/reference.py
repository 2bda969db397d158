"""A month's bill, calculated a second time: slot by slot, as a careful clerk would.

It shares no code with Luna. It reads a site's tariff as its file has it, and it counts in decimals,
so that nothing is rounded: 0.1 + 0.2 is 0.3 here.

Where a rule leaves room:

- A price at an instant is that of the quarter-hour which begins there.
- What a month has drawn counts from the begin of the local month, also for blocks that are in force
  from a later day on.
- An allowance of a day begins anew at its own clock time. Of that day only the quarter-hours count
  in which its component is in force, within its window; one that a first day cuts short is whole.
- Billing intervals begin with the local clock. The hour that comes twice in autumn is two hours.
- A line's energy is that of the quarter-hours in which its component was in force, at any price.
- Components of one name make one line, also where they differ before and after a date.
- A tariff's rule that has no components makes one line, ``energy``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

QUARTER = timedelta(minutes=15)
IMPORT = "import"
EXPORT = "export"
WHOLE_RULE = "energy"
OWN_SERIES = {IMPORT: "import_price", EXPORT: "export_price"}
UNITS = {
    "per_kwh": Decimal(1),
    "cents_per_kwh": Decimal("0.01"),
    "per_mwh": Decimal("0.001"),
}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NOTHING = Decimal(0)

Json = Mapping[str, Any]
# What a kWh costs by the begin (UTC) of the quarter-hour.
PriceSeries = Mapping[datetime, float]
# Begin (UTC) of a quarter-hour, bought and sold kWh.
Reading = tuple[datetime, float, float]


@dataclass(frozen=True)
class Line:
    """What one component adds to a bill; sold energy takes from it, so its cost is negative."""

    direction: str
    name: str
    kwh: Decimal
    cost: Decimal


@dataclass(frozen=True)
class Bill:
    """The bill of a local month, in the tariff's currency."""

    lines: tuple[Line, ...]
    base: Decimal
    demand: Decimal

    @property
    def total(self) -> Decimal:
        """What is paid in the end."""
        return sum((line.cost for line in self.lines), NOTHING) + self.base + self.demand

    def line(self, direction: str, name: str) -> Line:
        """Return the line of a component."""
        return next(
            line for line in self.lines if line.direction == direction and line.name == name
        )


@dataclass(frozen=True)
class Prices:
    """Published prices: of markets by name, and the site's own series by name."""

    markets: Mapping[str, PriceSeries]
    own: Mapping[str, PriceSeries]


class Slot(NamedTuple):
    """A quarter-hour: when it begins, by UTC and by local clock, and what the meter counted."""

    begin: datetime
    local: datetime
    day: str
    clock: str
    imported_kwh: Decimal
    exported_kwh: Decimal
    drawn_before_kwh: Decimal

    def energy_kwh(self, direction: str) -> Decimal:
        """Return what was bought, or what was sold."""
        return self.imported_kwh if direction == IMPORT else self.exported_kwh

    def interval_begin(self, minutes: int) -> datetime:
        """Return when the interval of the local clock began that the quarter-hour lies in, UTC."""
        return self.begin - timedelta(minutes=self.local.minute % minutes)


def bill_month(
    tariff: Json,
    timezone: str,
    readings: Sequence[Reading],
    market_prices: Mapping[str, PriceSeries],
    own_prices: Mapping[str, PriceSeries],
    before: Sequence[Reading] = (),
) -> Bill:
    """Return the bill of one local month.

    Args:
        tariff: as a site's file has it.
        timezone: of the site.
        readings: every quarter-hour of the month, in order.
        market_prices: per kWh, by market and begin of the quarter-hour.
        own_prices: per kWh, by ``import_price`` or ``export_price`` and begin of the quarter-hour.
        before: the quarter-hours of the day before, for an allowance that runs on over midnight.

    Raises:
        KeyError: a price that is needed is missing.
        ValueError: the readings are of more than one local month.
    """
    zone = ZoneInfo(timezone)
    slots = read_meter(readings, zone)
    slots_before = read_meter(before, zone)
    if len({slot.day[:7] for slot in slots}) != 1:
        raise ValueError("the readings have to be of one local month")
    prices = Prices(market_prices, own_prices)
    first_day = slots[0].local.date().replace(day=1)
    return Bill(
        lines=(
            *charge_energy(tariff, IMPORT, slots, prices, before=slots_before),
            *charge_energy(tariff, EXPORT, slots, prices),
        ),
        base=charge_base(tariff.get("base", ()), list_days(first_day)),
        demand=charge_peaks(tariff.get("peak"), slots),
    )


def price_at(
    tariff: Json,
    timezone: str,
    instant: datetime,
    direction: str = IMPORT,
    *,
    market_prices: Mapping[str, PriceSeries] | None = None,
    own_prices: Mapping[str, PriceSeries] | None = None,
    drawn_kwh: float = 0.0,
) -> dict[str, Decimal]:
    """Return what the next kWh costs from an instant on, by component in force.

    ``drawn_kwh`` is what the local month, or the day of an allowance, has drawn before.
    """
    prices = Prices(market_prices or {}, own_prices or {})
    slot = make_slot(instant, ZoneInfo(timezone), drawn_before_kwh=exact(drawn_kwh))
    return {
        component["name"]: price_next_kwh(component, slot, prices, direction)
        for component in list_components(tariff, direction)
        if is_in_force(component, slot.day)
    }


# The same figures come back in every quarter-hour.
@lru_cache(maxsize=65536)
def exact(number: float) -> Decimal:
    """Return a number as it is written."""
    return Decimal(str(number))


# --- slots and days -------------------------------------------------------------------------------


def read_meter(readings: Sequence[Reading], zone: ZoneInfo) -> list[Slot]:
    """Return the quarter-hours of a month with what was drawn before each."""
    slots = []
    drawn = NOTHING
    for begin, import_kwh, export_kwh in readings:
        slot = make_slot(
            begin,
            zone,
            imported_kwh=exact(import_kwh),
            exported_kwh=exact(export_kwh),
            drawn_before_kwh=drawn,
        )
        slots.append(slot)
        drawn += slot.imported_kwh
    return slots


def make_slot(
    begin: datetime,
    zone: ZoneInfo,
    *,
    imported_kwh: Decimal = NOTHING,
    exported_kwh: Decimal = NOTHING,
    drawn_before_kwh: Decimal,
) -> Slot:
    """Return a quarter-hour with its local day and clock."""
    local = begin.astimezone(zone)
    return Slot(
        begin=begin,
        local=local,
        day=local.date().isoformat(),
        clock=f"{local.hour:02}:{local.minute:02}",
        imported_kwh=imported_kwh,
        exported_kwh=exported_kwh,
        drawn_before_kwh=drawn_before_kwh,
    )


def list_days(first: date) -> list[str]:
    """Return the days of the month that begins with ``first``."""
    days = []
    day = first
    while day.month == first.month:
        days.append(day.isoformat())
        day += timedelta(days=1)
    return days


def is_in_force(part: Json, day: str) -> bool:
    """Return whether a component or charge holds on a local day."""
    # Dates as YYYY-MM-DD sort as they follow each other.
    begins = part.get("valid_from")
    ends = part.get("valid_to")
    return (begins is None or begins <= day) and (ends is None or day < ends)


# --- energy ---------------------------------------------------------------------------------------


def list_components(tariff: Json, direction: str) -> list[Json]:
    """Return a direction's components; a rule of another kind becomes one, named ``energy``."""
    rule = tariff.get(direction, {"kind": "fixed", "price": 0})
    if rule["kind"] == "components":
        return list(rule["components"])
    if rule["kind"] == "time_of_use":
        bands = {"kind": "calendar", "price": rule["default"], "windows": rule["bands"]}
        return [bands | {"name": WHOLE_RULE}]
    return [{**rule, "name": WHOLE_RULE}]


def charge_energy(
    tariff: Json,
    direction: str,
    slots: Sequence[Slot],
    prices: Prices,
    *,
    before: Sequence[Slot] = (),
) -> list[Line]:
    """Return one line for each name among a direction's components."""
    sign = 1 if direction == IMPORT else -1
    energy: dict[str, Decimal] = {}
    cost: dict[str, Decimal] = {}
    for component in list_components(tariff, direction):
        in_force = [slot for slot in slots if is_in_force(component, slot.day)]
        if not in_force:
            continue
        component_kwh = NOTHING
        component_cost = NOTHING
        allowance = Allowance(component)
        if component["kind"] == "allowance":
            for slot in before:
                allowance.charge(slot)
        for slot in in_force:
            slot_kwh = slot.energy_kwh(direction)
            if component["kind"] == "allowance":
                component_kwh += slot_kwh
                component_cost += allowance.charge(slot)
            elif slot_kwh > 0:
                component_kwh += slot_kwh
                component_cost += charge_slot(component, slot, prices, direction)
        name = component["name"]
        energy[name] = energy.get(name, NOTHING) + component_kwh
        cost[name] = cost.get(name, NOTHING) + sign * component_cost
    return [Line(direction, name, energy[name], cost[name]) for name in energy]


@dataclass
class Allowance:
    """An allowance's page in the clerk's book: whose day runs, and what that day has drawn."""

    component: Json
    day: date | None = None
    drawn: Decimal = NOTHING

    def charge(self, slot: Slot) -> Decimal:
        """Return what is asked for a quarter-hour, and write its energy down."""
        component = self.component
        self.turn_page(slot)
        rate = multiplier(component.get("unit", "per_kwh"), component.get("vat", 0))
        energy_kwh = slot.imported_kwh
        if not is_in_force(component, slot.day):
            return NOTHING
        if not is_within_allowance(component, slot):
            return energy_kwh * price_outside(component) * rate
        left = max(exact(component["kwh_per_day"]) - self.drawn, NOTHING)
        within_kwh = min(energy_kwh, left)
        self.drawn += energy_kwh
        within = within_kwh * exact(component["price"])
        beyond = (energy_kwh - within_kwh) * exact(component["price_beyond"])
        return (within + beyond) * rate

    def turn_page(self, slot: Slot) -> None:
        """Begin a new day once the clock has passed its begin; an old one never comes back."""
        day = slot.local.date()
        if slot.clock < self.component.get("day_begins", "00:00"):
            day -= timedelta(days=1)
        if self.day is None or day > self.day:
            self.day = day
            self.drawn = NOTHING


def is_within_allowance(component: Json, slot: Slot) -> bool:
    """Return whether energy of a quarter-hour is taken from an allowance."""
    months = component.get("months")
    if months and slot.local.month not in months:
        return False
    return has_weekday(component, slot.local.weekday()) and has_clock(component, slot.clock)


def price_outside(component: Json) -> Decimal:
    """Return the price of a kWh outside an allowance's window."""
    outside = component.get("price_outside")
    return exact(component["price_beyond"] if outside is None else outside)


def price_allowance(component: Json, slot: Slot, _prices: Prices, _direction: str) -> Decimal:
    """Return the price of the next kWh: within the allowance, beyond it, or outside its window."""
    if not is_within_allowance(component, slot):
        return price_outside(component)
    is_left = slot.drawn_before_kwh < exact(component["kwh_per_day"])
    return exact(component["price" if is_left else "price_beyond"])


def charge_slot(component: Json, slot: Slot, prices: Prices, direction: str) -> Decimal:
    """Return what a component asks for the energy of a quarter-hour."""
    energy_kwh = slot.energy_kwh(direction)
    if component["kind"] != "blocks":
        return energy_kwh * price_next_kwh(component, slot, prices, direction)
    if is_waived(component, slot, prices):
        return NOTHING
    cost = NOTHING
    begin = slot.drawn_before_kwh
    end = begin + energy_kwh
    for block_begin, block_end, price in list_blocks(component):
        from_kwh = max(begin, block_begin)
        to_kwh = end if block_end is None else min(end, block_end)
        if to_kwh > from_kwh:
            cost += (to_kwh - from_kwh) * price
    return cost * multiplier(component.get("unit", "per_kwh"), component.get("vat", 0))


def price_next_kwh(component: Json, slot: Slot, prices: Prices, direction: str) -> Decimal:
    """Return what a component asks for the next kWh: raw price × unit × (1 + vat)."""
    if is_waived(component, slot, prices):
        return NOTHING
    raw = RAW_PRICES[component["kind"]](component, slot, prices, direction)
    return raw * multiplier(component.get("unit", "per_kwh"), component.get("vat", 0))


@lru_cache
def multiplier(unit: str, vat: float) -> Decimal:
    """Return unit factor × (1 + vat)."""
    return UNITS[unit] * (1 + exact(vat))


def is_waived(component: Json, slot: Slot, prices: Prices) -> bool:
    """Return whether a component is 0 because its market's price is below 0."""
    market = component.get("zero_below_spot")
    return market is not None and prices.markets[market][slot.begin] < 0


def price_fixed(component: Json, _slot: Slot, _prices: Prices, _direction: str) -> Decimal:
    """Return the one price of a component."""
    return exact(component["price"])


def price_by_calendar(component: Json, slot: Slot, _prices: Prices, _direction: str) -> Decimal:
    """Return the price of the first window that fits, or the one that holds elsewhere."""
    weekday = slot.local.weekday()
    if is_public_holiday(component.get("holidays"), slot.day):
        weekday = WEEKDAYS.index("sun")
    for window in component["windows"]:
        months = window.get("months")
        if months is not None and slot.local.month not in months:
            continue
        if has_weekday(window, weekday) and has_clock(window, slot.clock):
            return exact(window["price"])
    return exact(component["price"])


def has_weekday(window: Json, weekday: int) -> bool:
    """Return whether a window holds on a weekday, Monday being 0."""
    days = window.get("days", "all")
    if days == "all":
        return True
    if days == "weekday":
        return weekday < WEEKDAYS.index("sat")
    if days == "weekend":
        return weekday >= WEEKDAYS.index("sat")
    return WEEKDAYS[weekday] in days


def has_clock(window: Json, clock: str) -> bool:
    """Return whether a window holds at a local clock time."""
    begin = window.get("from", "00:00")
    end = window.get("to", "24:00")
    if begin < end:
        return bool(begin <= clock < end)
    # Over midnight: the evening's part or the morning's.
    return bool(clock >= begin or clock < end)


def price_spot(component: Json, slot: Slot, prices: Prices, _direction: str) -> Decimal:
    """Return factor × the mean price of the billing interval, plus the markup of a simple rule."""
    series = prices.markets[component["market"]]
    minutes: int = component.get("billing_minutes", 15)
    begin = slot.interval_begin(minutes)
    quarters = minutes // 15
    total = sum((exact(series[begin + number * QUARTER]) for number in range(quarters)), NOTHING)
    mean = total / quarters
    return exact(component.get("factor", 1)) * mean + exact(component.get("markup", 0))


def price_own(_component: Json, slot: Slot, prices: Prices, direction: str) -> Decimal:
    """Return the site's own price of the quarter-hour."""
    return exact(prices.own[OWN_SERIES[direction]][slot.begin])


def price_block(component: Json, slot: Slot, _prices: Prices, _direction: str) -> Decimal:
    """Return the price of the block that the month's next kWh falls into."""
    for begin, end, price in list_blocks(component):
        if begin <= slot.drawn_before_kwh and (end is None or slot.drawn_before_kwh < end):
            return price
    raise ValueError("the last block has no end")


def list_blocks(component: Json) -> list[tuple[Decimal, Decimal | None, Decimal]]:
    """Return begin, end and price of each block; the last has no end."""
    blocks = []
    begin = NOTHING
    for block in component["blocks"]:
        end = None
        if block.get("up_to_kwh") is not None:
            end = exact(block["up_to_kwh"])
        blocks.append((begin, end, exact(block["price"])))
        begin = begin if end is None else end
    return blocks


def price_by_plant_size(component: Json, _slot: Slot, _prices: Prices, _direction: str) -> Decimal:
    """Return the mean of the steps' prices, by the plant's kW in each step."""
    plant_kw = exact(component["plant_kw"])
    total = NOTHING
    begin = NOTHING
    for step in component["steps"]:
        end = plant_kw
        if step.get("up_to_kw") is not None:
            end = min(plant_kw, exact(step["up_to_kw"]))
        if end > begin:
            total += (end - begin) * exact(step["price"])
            begin = end
    if begin < plant_kw:
        raise ValueError("the plant is larger than the last step")
    return total / plant_kw


RAW_PRICES: Mapping[str, Callable[[Json, Slot, Prices, str], Decimal]] = {
    "fixed": price_fixed,
    "calendar": price_by_calendar,
    "spot": price_spot,
    "series": price_own,
    "blocks": price_block,
    "allowance": price_allowance,
    "plant_size": price_by_plant_size,
}


@lru_cache(maxsize=4096)
def is_public_holiday(area: str | None, day: str) -> bool:
    """Return whether a local day is a public holiday of a country, or of a region such as DE-NW."""
    if area is None:
        return False
    return date.fromisoformat(day) in list_holidays(area, int(day[:4]))


@lru_cache(maxsize=64)
def list_holidays(area: str, year: int) -> frozenset[date]:
    """Return the public holidays of a country or region in a year."""
    # The library takes a quarter of a second to load: only who asks for holidays pays for it.
    import holidays

    country, _, region = area.partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=region or None, years=year))


# --- base charges and peaks -----------------------------------------------------------------------


def charge_base(charges: Iterable[Json], days: Sequence[str]) -> Decimal:
    """Return the base charges of a month, by its days in force."""
    total = NOTHING
    for charge in charges:
        days_in_force = sum(is_in_force(charge, day) for day in days)
        share = Decimal(days_in_force)
        if charge["per"] == "month":
            share /= len(days)
        total += exact(charge["price"]) * share * (1 + exact(charge.get("vat", 0)))
    return total


def charge_peaks(peak: Json | Sequence[Json] | None, slots: Sequence[Slot]) -> Decimal:
    """Return what a month's highest import costs under one capacity tariff, or several."""
    if peak is None:
        return NOTHING
    peaks = [peak] if isinstance(peak, Mapping) else peak
    total = NOTHING
    for one in peaks:
        total += exact(one["price_per_kw_month"]) * billed_kw(one, slots)
    return total


def billed_kw(peak: Json, slots: Sequence[Slot]) -> Decimal:
    """Return the mean of the month's highest intervals or days, but the floor at least, kW."""
    minutes: int = peak.get("interval_minutes", 15)
    one_per_day: bool = peak.get("one_per_day", False)
    count: int = peak.get("highest", 1)
    energy: dict[datetime, Decimal] = {}
    day_of: dict[datetime, str] = {}
    for slot in slots:
        if not has_weekday(peak, slot.local.weekday()) or not has_clock(peak, slot.clock):
            continue
        interval = slot.interval_begin(minutes)
        energy[interval] = energy.get(interval, NOTHING) + slot.imported_kwh
        day_of.setdefault(interval, slot.day)

    powers: dict[datetime | str, Decimal] = {}
    for interval, interval_kwh in energy.items():
        unit = day_of[interval] if one_per_day else interval
        power_kw = interval_kwh * 60 / minutes
        powers[unit] = max(powers.get(unit, NOTHING), power_kw)

    # Where a month has fewer than are counted, the missing ones are 0.
    highest = sorted(powers.values(), reverse=True)[:count]
    mean_kw = sum(highest, NOTHING) / count
    return max(mean_kw, exact(peak.get("least_kw", 0)))
