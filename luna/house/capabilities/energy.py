"""The account of energy and money of a site."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from luna.contracts.account import AccountReply, AccountTotals, FlowReply
from luna.energy.account_period import AccountPeriod, PeriodUnit
from luna.energy.timeline import Day
from luna.house.account import describe_account, last_counted_day
from luna.house.capability import CapabilityCall, SiteName, TerminalForm, TextTable, capability
from luna.platform.database import sites
from luna.words import Numbers
from luna.words.account import say_cost_line, say_flow

Unit = Annotated[PeriodUnit, Field(description="length of the period")]
AnyDay = Annotated[Day | None, Field(description="a local day of the period; default: today")]


def _show(reply: AccountReply, numbers: Numbers) -> Iterator[str | TextTable]:
    totals = reply.totals
    yield (
        f"{totals.first_day} to {totals.last_day}, counted until {numbers.day(totals.until)} "
        f"{numbers.clock(totals.until)}"
    )
    rows = [_describe_flow("from", flow, numbers) for flow in reply.sources]
    rows += [_describe_flow("to", flow, numbers) for flow in reply.uses]
    unexplained = numbers.number(reply.unexplained_kwh, 2)
    rows.append(["", say_flow("unexplained", numbers.language), unexplained])
    yield TextTable(("", "energy", "kWh"), rows, words=("", "energy"))
    lines = []
    costs = [line.cost for line in reply.lines]
    if reply.demand_cost is not None:
        costs.append(reply.demand_cost)
    amounts = numbers.amounts(costs, totals.cost)
    for line, amount in zip(reply.lines, amounts, strict=False):
        energy = "" if line.direction == "base" else numbers.number(line.energy_kwh, 2)
        lines.append([say_cost_line(line, numbers), energy, amount])
    if reply.demand_cost is not None:
        lines.append([say_flow("demand", numbers.language), "", amounts[-1]])
    lines.append([say_flow("total", numbers.language), "", numbers.money(totals.cost)])
    yield TextTable(("bill", "kWh", "cost"), lines, words=("bill",))
    yield from _compare(reply, numbers)


def _describe_flow(direction: str, flow: FlowReply, numbers: Numbers) -> list[str]:
    name = say_flow(flow.name, numbers.language)
    return [direction, name, numbers.number(flow.energy_kwh, 2)]


def _compare(reply: AccountReply, numbers: Numbers) -> Iterator[TextTable]:
    columns = {"this period": totals_cells(reply.totals, numbers)}
    if reply.previous is not None:
        columns["period before"] = totals_cells(reply.previous, numbers)
    if reply.year_before is not None:
        columns["year before"] = totals_cells(reply.year_before, numbers)
    names = ("used kWh", "bought kWh", "produced kWh", "sold kWh", "own supply", "cost")
    rows = []
    for place, name in enumerate(names):
        rows.append([name, *(cells[place] for cells in columns.values())])
    yield TextTable(("", *columns), rows, words=("",))


def totals_cells(totals: AccountTotals, numbers: Numbers) -> list[str]:
    """Return the cells of a period's totals."""
    energies = (totals.consumption_kwh, totals.import_kwh, totals.pv_kwh, totals.export_kwh)
    return [
        *(numbers.number(energy, 2) for energy in energies),
        numbers.share(totals.self_sufficiency),
        numbers.money(totals.cost),
    ]


@capability(
    "GET",
    "/v1/sites/{site_id}/account",
    noun="account",
    scope="read",
    command="energy",
    shown=_show,
    terminal=TerminalForm(options={"period": "period", "day": "day"}),
)
def read_site_account(
    call: CapabilityCall, site_id: SiteName, *, period: Unit = "month", day: AnyDay = None
) -> AccountReply:
    """Show energy and cost of a period.

    Return what a site used, produced, bought, sold and stored on a day or in a week, month or year,
    its cost line by line, and the periods to compare with.
    """
    site = sites.load(call.connection, site_id)
    chosen = AccountPeriod.of(period, day or last_counted_day(site, call.now))
    return describe_account(call.connection, site, chosen, now=call.now)


CAPABILITIES = (read_site_account,)
