"""The account of a period in the reader's words, tables and drawings, and as CSV."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from math import floor, fsum
from zoneinfo import ZoneInfo

from markupsafe import Markup

from luna.contracts.account import AccountPart, AccountReply, AccountTotals
from luna.energy.account import SOURCES, USES
from luna.energy.account_period import AccountPeriod, PeriodUnit
from luna.energy.site import Site
from luna.words import Numbers
from luna.words.account import say_cost_line, say_flow, say_period
from luna.words.charts.energy import PeriodCost, StackedBar, draw_costs, draw_energy
from luna.words.charts.savings import bar_in_text
from luna.words.devices import list_devices
from luna.words.pages import PageWords

UNITS: tuple[PeriodUnit, ...] = ("day", "week", "month", "year")
UNEXPLAINED = "unexplained"
# Phrases of the rows that compare periods.
COMPARED_ROWS = (
    "row_consumption",
    "row_import",
    "row_pv",
    "row_export",
    "row_self_sufficiency",
    "row_cost",
)
# Of a table's energies: to ten watt-hours.
DECIMALS = 2


@dataclass(frozen=True, slots=True)
class EnergyFigure:
    """A figure at the top of the page, with a sentence below it."""

    name: str
    value: str
    note: str = ""
    wide: bool = False


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """A flow on one side of the balance: code, name, bar, kWh and share of the side."""

    code: str
    name: str
    bar: Markup
    energy: str
    share: str


@dataclass(frozen=True)
class EnergyView:
    """A period's account as the page shows it."""

    reply: AccountReply
    site: Site
    period: AccountPeriod
    today: date
    numbers: Numbers
    words: PageWords

    @property
    def is_empty(self) -> bool:
        """Whether nothing is recorded for the period."""
        return not self.reply.sources and not self.reply.uses

    @property
    def name(self) -> str:
        """The period's name."""
        return self._say_period(self.period.first, self.period.last)

    @property
    def is_running(self) -> bool:
        """Whether the period has not ended yet."""
        return self.reply.totals.until < self.period.timeline(self.numbers.zone).end

    @property
    def until(self) -> str:
        """Until when a running period is counted."""
        until = self.reply.totals.until
        return self.words("until", day=self.numbers.day(until), clock=self.numbers.clock(until))

    @property
    def query(self) -> str:
        """The period as the query of an address."""
        return _write_query(self.period.unit, self.period.first)

    def units(self) -> list[tuple[str, str, bool]]:
        """Return the lengths of periods: name, query, whether it is the chosen one."""
        day = self.today if self.has_today else self.period.first
        units = []
        for unit in UNITS:
            query = _write_query(unit, day)
            units.append((self.words("unit_" + unit), query, unit == self.period.unit))
        return units

    @property
    def earlier(self) -> str:
        """The query of the period before."""
        return _write_query(self.period.unit, self.period.previous().first)

    @property
    def later(self) -> str | None:
        """The query of the next period; None if it has not begun."""
        following = self.period.following()
        if following.first > self.today:
            return None
        return _write_query(self.period.unit, following.first)

    @property
    def has_today(self) -> bool:
        """Whether today belongs to the period."""
        return self.period.first <= self.today <= self.period.last

    @property
    def now(self) -> str:
        """The query of the period of today."""
        return _write_query(self.period.unit, self.today)

    def figures(self) -> list[EnergyFigure]:
        """Return the used, bought, produced and sold energy, and the cost."""
        words = self.words
        totals = self.reply.totals
        used = self._say_energy(totals.consumption_kwh)
        bought = self._say_energy(totals.import_kwh)
        produced = self._say_energy(totals.pv_kwh)
        sold = self._say_energy(totals.export_kwh)
        cost = self.numbers.money(totals.cost)
        own_supply = ""
        if totals.self_sufficiency is not None:
            own_supply = words("own_supply", share=self.numbers.share(totals.self_sufficiency))
        own_use = ""
        if totals.own_use is not None:
            own_use = words("own_use", share=self.numbers.share(totals.own_use))
        cost_note = words("cost_unknown") if totals.cost is None else ""
        return [
            EnergyFigure(words("used_title"), used, own_supply),
            EnergyFigure(words("bought_title"), bought),
            EnergyFigure(words("produced_title"), produced, own_use),
            EnergyFigure(words("sold_title"), sold),
            EnergyFigure(words("cost_title"), cost, cost_note, wide=True),
        ]

    def _say_energy(self, energy_kwh: float | None) -> str:
        return self.words("not_recorded") if energy_kwh is None else self.numbers.energy(energy_kwh)

    def sources(self) -> list[BalanceRow]:
        """Return where the energy came from."""
        energies = {flow.name: flow.energy_kwh for flow in self.reply.sources}
        if self.reply.unexplained_kwh < 0:
            energies[UNEXPLAINED] = -self.reply.unexplained_kwh
        if self._is_recorded("import"):
            return self._balance(energies)
        # Losses are no source: without a meter at the grid this is what it delivered.
        return self._balance(energies, unexplained=self.words("unmeasured_source"))

    def uses(self) -> list[BalanceRow]:
        """Return where the energy went."""
        energies = {flow.name: flow.energy_kwh for flow in self.reply.uses}
        if self.reply.unexplained_kwh >= 0:
            energies[UNEXPLAINED] = self.reply.unexplained_kwh
        return self._balance(energies)

    def _balance(self, energies: Mapping[str, float], *, unexplained: str = "") -> list[BalanceRow]:
        total = fsum(energies.values())
        rows = []
        for code, energy in energies.items():
            share = energy / total if total > 0 else 0.0
            bar = bar_in_text(share, f"flow-{code}", rest=False) if energy > 0 else Markup("")
            kwh = self.say_kwh(energy)
            rows.append(
                BalanceRow(
                    code=code,
                    name=(unexplained if code == UNEXPLAINED else "") or self.say_flow(code),
                    bar=bar,
                    energy=kwh,
                    share=self.numbers.share(share),
                )
            )
        return rows

    @property
    def balance_total(self) -> str:
        """The energy of either side of the balance."""
        supplied = fsum(flow.energy_kwh for flow in self.reply.sources)
        return self.say_kwh(supplied + max(-self.reply.unexplained_kwh, 0.0))

    def bill(self) -> list[tuple[str, str, str]]:
        """Return the lines of the bill: name with price, kWh, cost."""
        names = []
        energies = []
        costs = []
        for line in self.reply.lines:
            names.append(say_cost_line(line, self.numbers))
            energies.append("" if line.direction == "base" else self.say_kwh(line.energy_kwh))
            costs.append(line.cost)
        if self.reply.demand_cost is not None:
            names.append(self.say_flow("demand"))
            energies.append("")
            costs.append(self.reply.demand_cost)
        amounts = self.numbers.amounts(costs, self.reply.totals.cost)
        return list(zip(names, energies, amounts, strict=True))

    @property
    def lacks_demand(self) -> bool:
        """Whether the site pays a capacity charge that is not part of this period's bill."""
        return bool(self.site.tariff.peaks) and self.reply.demand_cost is None

    def shares(self) -> list[tuple[str, str, list[str]]]:
        """Return the supply of each use: code, name and cells.

        The cells are kWh, shares of solar, battery and grid, and the cost of the grid's part.
        """
        rows = []
        for use in self.reply.use_shares:
            parts = {
                "pv": use.solar_kwh,
                "discharge": use.battery_kwh,
                "import": use.grid_kwh,
            }
            cells = [
                self.say_kwh(use.energy_kwh),
                *(self._say_part(source, kwh, use.energy_kwh) for source, kwh in parts.items()),
                self.numbers.money(use.cost if self.reply.priced > 0 else None),
            ]
            rows.append((use.name, self.say_flow(use.name), cells))
        return rows

    @property
    def shares_are_partial(self) -> bool:
        """Whether the supply of the uses is known for only a part of their energy."""
        used = fsum(flow.energy_kwh for flow in self.reply.uses)
        shared = fsum(use.energy_kwh for use in self.reply.use_shares)
        return self.say_kwh(used) != self.say_kwh(shared)

    def _say_part(self, source: str, part_kwh: float, whole_kwh: float) -> str:
        """Return the share of a source, unknown where it was never recorded."""
        is_known = whole_kwh > 0 and self._is_recorded(source)
        return self.numbers.share(part_kwh / whole_kwh if is_known else None)

    def _is_recorded(self, source: str) -> bool:
        return any(flow.name == source for flow in self.reply.sources)

    def compared(self) -> tuple[list[tuple[str, str]], list[list[str]]]:
        """Return this and earlier periods as a table.

        Headings come with the period's name; each row has a name and a cell per period.
        """
        columns = [(self.words("column_now"), self.reply.totals)]
        if self.reply.previous is not None:
            columns.append((self.words("column_previous"), self.reply.previous))
        # The period before a year is the year before.
        if self.reply.year_before is not None and self.period.unit != "year":
            columns.append((self.words("column_year_before"), self.reply.year_before))
        headings = []
        cells = []
        for name, totals in columns:
            headings.append((name, self._say_compared(totals)))
            cells.append(self._compare(totals))
        rows = []
        for place, name in enumerate(COMPARED_ROWS):
            rows.append([self.words(name), *(column[place] for column in cells)])
        return headings, rows

    def _say_compared(self, totals: AccountTotals) -> str:
        """Return a period's name, with its measured share if not all was measured."""
        period = self._say_period(totals.first_day, totals.last_day)
        if totals.known == 1:
            return period
        share = self._say_incomplete(totals.known)
        return self.words("compared_measured", period=period, share=share)

    def _compare(self, totals: AccountTotals) -> list[str]:
        energies = (totals.consumption_kwh, totals.import_kwh, totals.pv_kwh, totals.export_kwh)
        return [
            *map(self._say_energy, energies),
            self.numbers.share(totals.self_sufficiency),
            self.numbers.money(totals.cost),
        ]

    def notes(self) -> list[str]:
        """Return the limits of the figures, a sentence each."""
        reply = self.reply
        notes = []
        if reply.unmetered:
            devices = list_devices(reply.unmetered, self.numbers.language, first=True)
            notes.append(self.words("unmetered", devices=devices, count=len(reply.unmetered)))
        known = reply.totals.known
        if known < 1:
            notes.append(self.words("partly_known", share=self._say_incomplete(known)))
        if 0 < reply.priced < 1:
            notes.append(self.words("partly_priced", share=self._say_incomplete(reply.priced)))
        if reply.estimated_kwh > 0:
            notes.append(self.words("estimated", energy=self.numbers.amount(reply.estimated_kwh)))
        return notes

    def _say_incomplete(self, share: float) -> str:
        """Return a share below one, rounded down so that it never reads 100 %."""
        return self.numbers.share(floor(share * 100) / 100)

    @property
    def flows(self) -> list[str]:
        """The recorded flows, sources first."""
        return list_flows(self.reply)

    def part_rows(self) -> list[tuple[str, list[str]]]:
        """Return the parts: name, kWh of each recorded flow, and cost."""
        rows = []
        for part in self.reply.parts:
            cells = [self.say_kwh(part.flows.get(flow)) for flow in self.flows]
            cells.append(self.numbers.money(part.cost))
            rows.append((self._say_part_name(part.start), cells))
        return rows

    def _say_part_name(self, start: datetime) -> str:
        if self.period.unit == "day":
            return self.numbers.clock(start)
        if self.period.unit == "year":
            first = start.astimezone(self.numbers.zone).date()
            return say_period("month", first, first, self.numbers)
        return self.numbers.day(start)

    def _say_tick(self, start: datetime) -> str:
        """Return the short name of a part below a chart."""
        local = start.astimezone(self.numbers.zone)
        if self.period.unit == "day":
            return str(local.hour)
        if self.period.unit == "year":
            return self._say_part_name(start).split("\u00a0")[0]
        if self.period.unit == "week":
            return self.numbers.weekday(start)
        return str(local.day)

    @property
    def lacks_parts(self) -> bool:
        """Whether a part of the period has nothing recorded."""
        return any(not part.flows for part in self.reply.parts)

    @property
    def lacks_costs(self) -> bool:
        """Whether the cost of a part is unknown."""
        return any(part.cost is None for part in self.reply.parts)

    @property
    def has_earned(self) -> bool:
        """Whether a part earned more than it cost."""
        return any(part.cost is not None and part.cost < 0 for part in self.reply.parts)

    def draw_energy(self, *, narrow: bool) -> Markup:
        """Draw the uses and sources of each part."""
        bars = []
        for start, part in self._parts():
            flows = {} if part is None else part.flows
            above = [(f"flow-{name}", flows[name]) for name in USES if name in flows]
            below = [(f"flow-{name}", flows[name]) for name in SOURCES if name in flows]
            title = None if part is None else self._say_flows(part)
            bars.append(StackedBar(self._say_tick(start), above, below, title))
        return draw_energy(bars, self.numbers, label=self._label("chart_label"), narrow=narrow)

    def draw_costs(self, *, narrow: bool) -> Markup:
        """Draw the cost of each part."""
        bars = []
        for start, part in self._parts():
            if part is None:
                bars.append(PeriodCost(self._say_tick(start), None, None))
                continue
            cost = self.words("part_cost_unknown")
            if part.cost is not None:
                cost = self.numbers.money(part.cost)
            title = f"{self._say_part_name(start)}: {cost}"
            bars.append(PeriodCost(self._say_tick(start), part.cost, title))
        return draw_costs(bars, self.numbers, label=self._label("cost_chart_label"), narrow=narrow)

    def _parts(self) -> list[tuple[datetime, AccountPart | None]]:
        """Return the begin of each part of the whole period, with the part once it has begun."""
        begun = {part.start: part for part in self.reply.parts}
        return [(start, begun.get(start)) for start in self.period.part_starts(self.numbers.zone)]

    def _say_flows(self, part: AccountPart) -> str:
        energies = []
        for name in self.flows:
            if name in part.flows:
                energy = self.numbers.energy(part.flows[name])
                energies.append(f"{self.say_flow(name)} {energy}")
        text = ", ".join(energies) or self.words("not_recorded")
        return f"{self._say_part_name(part.start)}: {text}"

    def _label(self, phrase: str) -> str:
        return self.words(phrase, part=self.words("part_" + self.period.unit))

    def _say_period(self, first: date, last: date) -> str:
        return say_period(self.period.unit, first, last, self.numbers)

    def say_flow(self, name: str) -> str:
        """Return the name of a flow or of a sum."""
        return say_flow(name, self.numbers.language)

    def say_kwh(self, energy_kwh: float | None) -> str:
        """Return an energy for a column in kWh."""
        return self.numbers.number(energy_kwh, DECIMALS)


def list_flows(reply: AccountReply) -> list[str]:
    """Return the flows that were recorded in the period, sources first."""
    return [flow.name for flow in (*reply.sources, *reply.uses)]


def write_csv(reply: AccountReply, zone: ZoneInfo) -> str:
    """Return the parts of an account as CSV.

    Columns are instants with the site's offset, kWh of each recorded flow, and cost; unknown cells
    are empty.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    flows = list_flows(reply)
    headings = [f"{name}_kwh" for name in flows]
    writer.writerow(["start", *headings, f"cost_{reply.currency.lower()}"])
    for part in reply.parts:
        cells = [part.start.astimezone(zone).isoformat()]
        for figure in (*(part.flows.get(name) for name in flows), part.cost):
            # Watt-hours and hundredths of a cent are precise enough.
            cells.append("" if figure is None else f"{figure:.4f}")
        writer.writerow(cells)
    return text.getvalue()


def _write_query(unit: PeriodUnit, day: date) -> str:
    return f"?period={unit}&day={day.isoformat()}"
