"""What a slot brings: its cost as the economics count it, the value of what stays stored, and shaping that only a learner sees."""

from dataclasses import dataclass

import numpy as np

from luna.energy.economics import Costs, slot_costs
from luna.energy.physics import BoolArray, Flows
from luna.energy.timeline import FloatArray

# Below this share of the day's median price discharging is cheap. Source: revision 77.
CHEAP_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class RewardRule:
    """How a learner is rewarded beside the cost.

    ``discount`` is the learner's own, so that the value of stored energy telescopes under it. The penalties are shaping and zero by default:
    ``terminal_soc_penalty`` (currency) on the distance between the state of charge at the end and at the begin of an episode, ``cheap_discharge_penalty``
    (currency/kWh) on what is discharged at less than 0.8 × the day's median import price.
    """

    discount: float = 1.0
    terminal_soc_penalty: float = 0.0
    cheap_discharge_penalty: float = 0.0

    @property
    def shapes(self) -> bool:
        """Whether any penalty is configured."""
        return bool(self.terminal_soc_penalty or self.cheap_discharge_penalty)


COST_ALONE = RewardRule()


@dataclass(frozen=True, slots=True)
class PricesNow:
    """What a slot's energy costs, ``(sites,)``, and what wear does, ``(batteries, 1)`` or ``(batteries, sites)``; currency/kWh."""

    import_price: FloatArray
    export_price: FloatArray
    wear_price: FloatArray


def cost_flows(flows: Flows, prices: PricesNow) -> Costs:
    """Return what a slot costs, ``(sites,)``: import, export (negative) and wear."""
    return slot_costs(
        import_kwh=flows.import_kwh,
        export_kwh=flows.export_kwh,
        throughput_kwh=flows.charge_kwh + flows.discharge_kwh,
        import_price=prices.import_price,
        export_price=prices.export_price,
        wear_price=prices.wear_price,
    )


def value_change(before_kwh: FloatArray, after_kwh: FloatArray, worth: FloatArray, *, discount: float) -> FloatArray:
    """Return what a slot adds for the energy that stays stored: discount × Φ(after) − Φ(before), with Φ = ``worth`` × stored energy, shape ``(sites,)``.

    Over an episode it telescopes to Φ at the end, discounted, less Φ at the begin, which no action changes: what is optimal stays so.
    Source: Ng, Harada, Russell, "Policy invariance under reward transformations", ICML 1999.

    Args:
        before_kwh: in all batteries of a site.
        after_kwh: the same at the slot's end.
        worth: of a stored kWh at the end of the episode.
        discount: the learner's.
    """
    return worth * (discount * after_kwh - before_kwh)


@dataclass(frozen=True, slots=True)
class Ends:
    """Where episodes end with a slot, and the states of charge there and at their begin, each of shape ``(sites,)``."""

    done: BoolArray
    soc: FloatArray
    first_soc: FloatArray


def shape_reward(rule: RewardRule, discharge_kwh: FloatArray, cheap: BoolArray, ends: Ends) -> FloatArray:
    """Return the shaping of a slot, ``(sites,)``, never above zero; ``cheap`` says where the price is below 0.8 × the day's median."""
    terminal = np.where(ends.done, np.abs(ends.soc - ends.first_soc), 0.0)
    penalty: FloatArray = rule.terminal_soc_penalty * terminal + rule.cheap_discharge_penalty * np.where(cheap, discharge_kwh, 0.0)
    return -penalty
