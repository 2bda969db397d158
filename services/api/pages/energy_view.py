"""The account of a period in the reader's words, tables and drawings, and as CSV."""

import csv
import io
from collections.abc import Mapping, Sequence
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
from luna.words.devices import say_device
from luna.words.numbers import join_words
from luna.words.pages import PageWords

UNITS: tuple[PeriodUnit, ...] = ("day", "week", "month", "year")
UNEXPLAINED = "unexplained"
# Of a table's energies: to ten watt-hours.
DECIMALS = 2


@dataclass(frozen=True, slots=True)
class EnergyFigure:
    """A figure at the top of the page: its name, the figure in words, and a sentence below it."""

    name: str
    said: str
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
        """The period as an address has it."""
        return _write_query(self.period.unit, self.period.first)

    def units(self) -> list[tuple[str, str, bool]]:
        """Return the lengths of periods: name, query, whether it is the chosen one."""
        shown = (
            self.today if self.period.first <= self.today <= self.period.last else self.period.first
        )
        return [
            (self.words("unit_" + unit), _write_query(unit, shown), unit == self.period.unit)
            for unit in UNITS
        ]

    @property
    def earlier(self) -> str:
        """The query of the period before."""
        return _write_query(self.period.unit, self.period.previous().first)

    @property
    def later(self) -> str | None:
        """The query of the period after; None where that has not begun."""
        following = self.period.following()
        return (
            _write_query(self.period.unit, following.first)
            if following.first <= self.today
            else None
        )

    @property
    def has_today(self) -> bool:
        """Whether today belongs to the period."""
        return self.period.first <= self.today <= self.period.last

    @property
    def now(self) -> str:
        """The query of the period of today."""
        return _write_query(self.period.unit, self.today)

    def figures(self) -> list[EnergyFigure]:
        """Return what was used, bought, produced, sold and paid."""
        totals = self.reply.totals
        share = self.numbers.share
        own_supply = (
            ""
            if totals.self_sufficiency is None
            else self.words("own_supply", share=share(totals.self_sufficiency))
        )
        own_use = (
            "" if totals.own_use is None else self.words("own_use", share=share(totals.own_use))
        )
        unknown = self.words("cost_unknown") if totals.cost is None else ""
        return [
            EnergyFigure(
                self.words("used_title"), self._say_energy(totals.consumption_kwh), own_supply
            ),
            EnergyFigure(self.words("bought_title"), self._say_energy(totals.import_kwh)),
            EnergyFigure(self.words("produced_title"), self._say_energy(totals.pv_kwh), own_use),
            EnergyFigure(self.words("sold_title"), self._say_energy(totals.export_kwh)),
            EnergyFigure(
                self.words("cost_title"), self.numbers.money(totals.cost), unknown, wide=True
            ),
        ]

    def _say_energy(self, energy_kwh: float | None) -> str:
        return self.words("not_recorded") if energy_kwh is None else self.numbers.energy(energy_kwh)

    def sources(self) -> list[BalanceRow]:
        """Return where the energy came from."""
        energies = {flow.name: flow.energy_kwh for flow in self.reply.sources}
        if self.reply.unexplained_kwh < 0:
            energies[UNEXPLAINED] = -self.reply.unexplained_kwh
        return self._balance(energies)

    def uses(self) -> list[BalanceRow]:
        """Return where the energy went."""
        energies = {flow.name: flow.energy_kwh for flow in self.reply.uses}
        if self.reply.unexplained_kwh >= 0:
            energies[UNEXPLAINED] = self.reply.unexplained_kwh
        return self._balance(energies)

    def _balance(self, energies: Mapping[str, float]) -> list[BalanceRow]:
        total = fsum(energies.values())
        rows = []
        for code, energy in energies.items():
            share = energy / total if total > 0 else 0.0
            bar = bar_in_text(share, f"flow-{code}", rest=False) if energy > 0 else Markup("")
            rows.append(
                BalanceRow(
                    code, self.say_flow(code), bar, self.say_kwh(energy), self.numbers.share(share)
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
        rows = [
            (
                say_cost_line(line, self.numbers),
                self.say_kwh(line.energy_kwh),
                self.numbers.money(line.cost),
            )
            for line in self.reply.lines
        ]
        if self.reply.demand_cost is not None:
            rows.append((self.say_flow("demand"), "", self.numbers.money(self.reply.demand_cost)))
        return rows

    @property
    def lacks_demand(self) -> bool:
        """Whether the site pays a capacity charge that is not part of this period's bill."""
        return bool(self.site.tariff.peaks) and self.reply.demand_cost is None

    def shares(self) -> list[tuple[str, str, list[str]]]:
        """Return what each use was fed by: code, name, and the cells kWh, solar, battery, grid,
        cost of the grid's part.
        """
        rows = []
        for use in self.reply.use_shares:
            fed = [
                self._say_part(part, use.energy_kwh)
                for part in (use.solar_kwh, use.battery_kwh, use.grid_kwh)
            ]
            cost = self.numbers.money(use.cost if self.reply.priced > 0 else None)
            rows.append(
                (use.name, self.say_flow(use.name), [self.say_kwh(use.energy_kwh), *fed, cost])
            )
        return rows

    def _say_part(self, part_kwh: float, whole_kwh: float) -> str:
        return self.numbers.share(part_kwh / whole_kwh if whole_kwh > 0 else None)

    def compared(self) -> tuple[list[tuple[str, str]], list[list[str]]]:
        """Return the periods beside this one: headings with the period's name, and rows of a name
        with a cell per period.
        """
        columns = [(self.words("column_now"), self.reply.totals)]
        if self.reply.previous is not None:
            columns.append((self.words("column_previous"), self.reply.previous))
        # The period before a year is the year before.
        if self.reply.year_before is not None and self.period.unit != "year":
            columns.append((self.words("column_year_before"), self.reply.year_before))
        headings = [
            (name, self._say_period(totals.first_day, totals.last_day)) for name, totals in columns
        ]
        names = (
            "row_consumption",
            "row_import",
            "row_pv",
            "row_export",
            "row_self_sufficiency",
            "row_cost",
        )
        cells = [self._compare(totals) for _, totals in columns]
        rows = [
            [self.words(name), *row]
            for name, row in zip(names, zip(*cells, strict=True), strict=True)
        ]
        return headings, rows

    def _compare(self, totals: AccountTotals) -> list[str]:
        energies = (totals.consumption_kwh, totals.import_kwh, totals.pv_kwh, totals.export_kwh)
        return [
            *map(self._say_energy, energies),
            self.numbers.share(totals.self_sufficiency),
            self.numbers.money(totals.cost),
        ]

    def notes(self) -> list[str]:
        """Return what limits the figures, a sentence each."""
        reply = self.reply
        notes = []
        if reply.unmetered:
            names = [say_device(name, language=self.numbers.language) for name in reply.unmetered]
            notes.append(
                self.words(
                    "unmetered", devices=join_words(names, self.numbers.language), count=len(names)
                )
            )
        if reply.known < 1:
            notes.append(self.words("partly_known", share=self._say_incomplete(reply.known)))
        if 0 < reply.priced < 1:
            notes.append(self.words("partly_priced", share=self._say_incomplete(reply.priced)))
        if reply.estimated_kwh > 0:
            notes.append(self.words("estimated", energy=self.numbers.amount(reply.estimated_kwh)))
        return notes

    def _say_incomplete(self, share: float) -> str:
        """Return a share below one, rounded down: what is not complete is never said to be."""
        return self.numbers.share(floor(share * 100) / 100)

    @property
    def flows(self) -> list[str]:
        """The recorded flows, sources first."""
        return list_flows(self.reply)

    def part_rows(self) -> list[tuple[str, list[str]]]:
        """Return the parts: name, kWh of each recorded flow, and cost."""
        rows = []
        for part in self.reply.parts:
            energies = [self.say_kwh(part.flows.get(flow)) for flow in self.flows]
            rows.append(
                (self._say_part_name(part.start), [*energies, self.numbers.money(part.cost)])
            )
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
        """Draw what each part used and what supplied it."""
        bars = []
        for start, part in self._parts():
            flows = {} if part is None else part.flows
            above = [(f"flow-{name}", flows[name]) for name in USES if name in flows]
            below = [(f"flow-{name}", flows[name]) for name in SOURCES if name in flows]
            bars.append(
                StackedBar(
                    self._say_tick(start),
                    above,
                    below,
                    None if part is None else self._say_flows(part),
                )
            )
        return draw_energy(bars, self.numbers, label=self._label("chart_label"), narrow=narrow)

    def draw_costs(self, *, narrow: bool) -> Markup:
        """Draw what each part cost."""
        bars = []
        for start, part in self._parts():
            if part is None:
                bars.append(PeriodCost(self._say_tick(start), None, None))
                continue
            cost = (
                self.words("part_cost_unknown")
                if part.cost is None
                else self.numbers.money(part.cost)
            )
            bars.append(
                PeriodCost(
                    self._say_tick(start), part.cost, f"{self._say_part_name(start)}: {cost}"
                )
            )
        return draw_costs(bars, self.numbers, label=self._label("cost_chart_label"), narrow=narrow)

    def _parts(self) -> list[tuple[datetime, AccountPart | None]]:
        """Return the begin of each part of the whole period, with the part once it has begun."""
        begun = {part.start: part for part in self.reply.parts}
        return [(start, begun.get(start)) for start in self.period.part_starts(self.numbers.zone)]

    def _say_flows(self, part: AccountPart) -> str:
        energies = [
            f"{self.say_flow(name)} {self.numbers.energy(part.flows[name])}"
            for name in self.flows
            if name in part.flows
        ]
        return (
            f"{self._say_part_name(part.start)}: "
            f"{', '.join(energies) or self.words('not_recorded')}"
        )

    def _label(self, phrase: str) -> str:
        return self.words(phrase, part=self.words("part_" + self.period.unit))

    def _say_period(self, first: date, last: date) -> str:
        return say_period(self.period.unit, first, last, self.numbers)

    def say_flow(self, name: str) -> str:
        """Return the name of a flow or of a sum."""
        return say_flow(name, self.numbers.language)

    def say_kwh(self, energy_kwh: float | None) -> str:
        """Return an energy as a column of kWh has it."""
        return self.numbers.number(energy_kwh, DECIMALS)


def list_flows(reply: AccountReply) -> list[str]:
    """Return the flows that were recorded in the period, sources first."""
    return [flow.name for flow in (*reply.sources, *reply.uses)]


def write_csv(reply: AccountReply, zone: ZoneInfo) -> str:
    """Return the parts of an account as CSV: instants with the site's offset, kWh of each recorded
    flow, cost; unknown cells are empty.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    flows = list_flows(reply)
    writer.writerow(["start", *(f"{name}_kwh" for name in flows), f"cost_{reply.currency.lower()}"])
    for part in reply.parts:
        figures: Sequence[float | None] = [*(part.flows.get(name) for name in flows), part.cost]
        writer.writerow(
            [part.start.astimezone(zone).isoformat(), *(_write_cell(figure) for figure in figures)]
        )
    return text.getvalue()


def _write_cell(figure: float | None) -> str:
    # In watt-hours and hundredths of a cent there is no more to know.
    return "" if figure is None else f"{figure:.4f}"


def _write_query(unit: PeriodUnit, day: date) -> str:
    return f"?period={unit}&day={day.isoformat()}"
