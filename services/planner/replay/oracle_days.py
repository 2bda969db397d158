"""The optimum in hindsight, day by day."""

from dataclasses import dataclass

from luna.contracts.replay import DayCost
from luna.physics import Mode
from services.planner.replay.summary import Ledger


@dataclass(frozen=True, slots=True)
class OracleDay:
    """What the oracle cost on a day, what no control did, and what the oracle's batteries were told; ``soc`` at the end of each slot."""

    oracle: DayCost
    idle: DayCost
    modes: dict[str, list[str]]
    soc: dict[str, list[float]]


def list_oracle_days(ledger: Ledger) -> list[OracleDay]:
    """Return every day of a replay under the plan that knew all."""
    batteries, plan = ledger.scene.site.batteries, ledger.oracle
    costs = zip(ledger.scene.days, ledger.day_costs("oracle"), ledger.day_costs("idle"), strict=True)
    return [
        OracleDay(
            oracle,
            idle,
            {battery.name: [Mode(mode).word for mode in plan.setpoints.mode[index, first:end].tolist()] for index, battery in enumerate(batteries)},
            {battery.name: (plan.flows.stored_kwh[index, first:end] / battery.capacity_kwh).round(4).tolist() for index, battery in enumerate(batteries)},
        )
        for (first, end), oracle, idle in costs
    ]
