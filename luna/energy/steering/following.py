"""Follow surplus: when a device starts, changes phases and stops.

Each choice (off, one phase, three) has a usefulness: the surplus it takes, less what it would buy,
at a weight. What another choice would have gained is added up from when it became the better one,
and it is taken once that passes what a switch costs (Page's cumulative sum test). So much surplus
starts a car within seconds and little within minutes. A day has few switches: the more it has seen,
and the longer the sun still shines, the more the next one has to gain, for it may be missing later.

Source: E. S. Page, "Continuous inspection schemes", Biometrika 41 (1954).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from luna.energy.steering.state import SteeringReason, UnitMemory


@dataclass(frozen=True, slots=True)
class FollowRules:
    """Follow surplus. The figures were chosen on the tuning seeds of the bench.

    ``start_kwh`` is what a start or stop has to gain, ``start_growth`` the factor for each one
    after it; ``phases_kwh`` and ``phases_growth`` are the same for changes of phases, and one to
    fewer has to gain ``fewer_factor`` times as much. These hold ``usual_sun_h`` before surplus
    ends, which is ``dusk_h`` before sunset. Starts and stops are priced in proportion to the hours
    that are left, at least ``least_sun_h``, and changes of phases, of which there are fewer, to
    their square. The first switch of a day has to gain ``first_kwh``. A bought kWh counts
    ``start_weight`` times a charged one, ``fewer_weight`` times where fewer phases would save it.
    At starts and stops on the fewest phases it counts more by ``share_weight`` for each
    ``bought_share`` of the day's energy beyond the first, with a credit of ``credit_kwh``. Amperes
    are rounded up from a fraction of ``round_up_from`` on, and left within a ``dead_band`` around
    that; they rise no sooner than ``rise_s`` after a change. Writes that wear a charger out are
    spread over ``lasts_s`` of sun, but for ``kept_writes`` to fall from 16 A to 6 A. Amperes wait
    ``quicker_falls`` times less to fall than to rise, and no longer than ``latest_fall_s``, for a
    fall saves bought energy.
    """

    first_kwh: float = 0.07
    start_kwh: float = 0.113
    start_growth: float = 1.4
    phases_kwh: float = 0.42
    phases_growth: float = 1.6
    fewer_factor: float = 2.0
    usual_sun_h: float = 6.0
    least_sun_h: float = 0.3
    dusk_h: float = 1.75
    start_weight: float = 1.55
    fewer_weight: float = 4.85
    bought_share: float = 0.168
    share_weight: float = 0.95
    credit_kwh: float = 1.2
    round_up_from: float = 0.65
    rise_s: float = 4.0
    dead_band: float = 0.15
    lasts_s: float = 12 * 3600.0
    kept_writes: int = 10
    quicker_falls: float = 4.0
    latest_fall_s: float = 600.0


RULES = FollowRules()


def space_rises(writes_left: float) -> float:
    """Return the seconds from a change of amperes to a rise.

    The fewer writes are left, the rarer they become, so that they last the day.
    """
    spare_writes = writes_left - RULES.kept_writes
    if spare_writes < 1:
        return math.inf
    return max(RULES.lasts_s / spare_writes, RULES.rise_s)


def space_falls(writes_left: float) -> float:
    """Return the seconds from a change of amperes to a fall that no limit asks for."""
    if math.isinf(writes_left):
        return 0.0
    return min(space_rises(writes_left) / RULES.quicker_falls, RULES.latest_fall_s)


@dataclass(frozen=True, slots=True)
class SurplusChoice:
    """A number of phases (0: off; 1 for a switched device), and the power it may have."""

    phases: int
    least_kw: float
    most_kw: float


@dataclass(frozen=True, slots=True)
class Offer:
    """Offer to a device: ``surplus_kw`` that others leave, negative where there is none.

    ``support_kw`` is what a battery would add. ``bridge_kw`` is what batteries give in a dip of the
    surplus; a kWh of it costs ``bridge_share`` of one from the grid.
    """

    surplus_kw: float
    support_kw: float = 0.0
    bridge_kw: float = 0.0
    bridge_share: float = 1.0

    def count_bought_kw(self, power_kw: float) -> float:
        """Return what a power buys beyond the surplus; what bridges a dip counts by its cost."""
        missing_kw = max(power_kw - max(self.surplus_kw + self.support_kw, 0.0), 0.0)
        bridged_kw = min(missing_kw, self.bridge_kw)
        return missing_kw - (1.0 - self.bridge_share) * bridged_kw


@dataclass(frozen=True, slots=True)
class SwitchRules:
    """Rules of how seldom a device is switched."""

    least_on_s: float
    least_off_s: float
    most_starts: int
    most_phase_changes: int


@dataclass(frozen=True, slots=True)
class FollowedSurplus:
    """The choice that a device follows surplus with, and what is remembered."""

    choice: SurplusChoice
    gain_kwh: Mapping[int, float]
    reason: SteeringReason


OFF = SurplusChoice(0, 0.0, 0.0)


def choose_phases(
    choices: Sequence[SurplusChoice],
    unit: UnitMemory,
    *,
    offer: "Offer",
    clock: "SwitchClock",
) -> FollowedSurplus:
    """Return the choice a device follows surplus with: its own, until another has gained enough.

    Args:
        choices: all of them, off among them where it may be off.
        unit: what is remembered of the device.
        offer: the surplus that it finds.
        clock: the cycle, and how seldom the device is switched.
    """
    present = _find_present(choices, unit.phases)
    if present is None:
        # Only a floor leaves no choice to be off.
        possible = [choice for choice in choices if clock.allows_phases(choice.phases, unit)]
        return FollowedSurplus(min(possible or choices, key=_least_kw), {}, "keeps_floor")
    growth = _grow_weight(unit)
    fewest = min(choice.phases for choice in choices if choice.phases)
    gains: dict[int, float] = {}
    best: SurplusChoice | None = None
    best_gain = 0.0
    is_hindered = False
    for choice in choices:
        if choice.phases == present.phases:
            continue
        is_start = present.phases == 0
        if is_start and _buys_at_start(choice, choices, unit, offer=offer, clock=clock):
            continue
        weight = _weigh_bought(choice, present, fewest=fewest, growth=growth)
        advantage_kw = _value_choice(choice, offer, weight) - _value_choice(present, offer, weight)
        gain_kwh = unit.gain_kwh.get(choice.phases, 0.0) + advantage_kw * clock.elapsed_s / 3600
        gain_kwh = max(gain_kwh, 0.0)
        gains[choice.phases] = gain_kwh
        if gain_kwh < _price_switch(choice, unit, clock.sun_left_h):
            continue
        if not clock.allows(choice, unit):
            is_hindered = True
        elif gain_kwh > best_gain:
            best = choice
            best_gain = gain_kwh
    if best is not None:
        reason: SteeringReason = "follows_surplus" if best.phases else "waits_for_surplus"
        return FollowedSurplus(best, {}, reason)
    return FollowedSurplus(present, gains, _explain_present(present, is_hindered=is_hindered))


@dataclass(frozen=True, slots=True)
class SwitchClock:
    """The cycle's time, and whether a device may be switched in it.

    ``sun_left_h`` is how long the sun still shines today, NaN where that is not known.
    """

    at_s: float
    elapsed_s: float
    rules: SwitchRules
    sun_left_h: float = math.nan

    def allows(self, choice: SurplusChoice, unit: UnitMemory) -> bool:
        """Return whether a device may change to a choice now."""
        since_switch_s = self.at_s - unit.switched_s
        if choice.phases == 0:
            return since_switch_s >= self.rules.least_on_s
        starts = unit.phases == 0
        if starts and (
            unit.starts >= self.rules.most_starts or since_switch_s < self.rules.least_off_s
        ):
            return False
        return self.allows_phases(choice.phases, unit)

    def allows_phases(self, phases: int, unit: UnitMemory) -> bool:
        """Return whether the charger's relay may go to a number of phases now."""
        if unit.last_phases in (0, phases):
            return True
        if unit.phase_changes >= self.rules.most_phase_changes:
            return False
        return self.at_s - unit.phases_s >= self.rules.least_on_s


def _find_present(choices: Sequence[SurplusChoice], phases: int) -> SurplusChoice | None:
    for choice in choices:
        if choice.phases == phases:
            return choice
    return None


def _least_kw(choice: SurplusChoice) -> float:
    return choice.least_kw


def _buys_at_start(
    choice: SurplusChoice,
    choices: Sequence[SurplusChoice],
    unit: UnitMemory,
    *,
    offer: "Offer",
    clock: "SwitchClock",
) -> bool:
    """Return whether the day's first start would buy what it need not on fewer phases."""
    if unit.starts > 0 or choice.least_kw <= offer.surplus_kw + offer.support_kw:
        return False
    for other in choices:
        if 0 < other.phases < choice.phases and clock.allows_phases(other.phases, unit):
            return True
    return False


def _weigh_bought(
    choice: SurplusChoice, present: SurplusChoice, *, fewest: int, growth: float
) -> float:
    """Return how much a bought kWh counts beside a charged one."""
    if 0 in (choice.phases, present.phases):
        # Where even the fewest phases have bought much today, a car stops sooner.
        is_least = max(choice.phases, present.phases) == fewest
        return RULES.start_weight * (growth if is_least else 1.0)
    # More phases are taken by the sun, and left by what clouds make them buy.
    return RULES.fewer_weight if choice.phases < present.phases else RULES.start_weight


def _grow_weight(unit: UnitMemory) -> float:
    """Return the factor by which a bought kWh counts more, the more was bought today."""
    share = unit.bought_kwh / (unit.charged_kwh + RULES.credit_kwh)
    beyond = max(share / RULES.bought_share - 1.0, 0.0)
    return 1.0 + RULES.share_weight * beyond


def _value_choice(choice: SurplusChoice, offer: Offer, weight: float) -> float:
    """Return the surplus that a choice takes, less what it buys at its weight."""
    if choice.phases == 0:
        return 0.0
    positive_kw = max(offer.surplus_kw, 0.0)
    power_kw = min(max(positive_kw, choice.least_kw), choice.most_kw)
    return min(positive_kw, power_kw) - weight * offer.count_bought_kw(power_kw)


def _price_switch(choice: SurplusChoice, unit: UnitMemory, sun_left_h: float) -> float:
    """Return what a change to a choice has to gain, kWh."""
    if unit.starts == 0 and unit.phase_changes == 0:
        return RULES.first_kwh
    sun_share = 1.0
    if not math.isnan(sun_left_h):
        sun_share = max(sun_left_h - RULES.dusk_h, RULES.least_sun_h) / RULES.usual_sun_h
    price_kwh = RULES.start_kwh * RULES.start_growth ** max(unit.starts - 1, 0) * sun_share
    if choice.phases and unit.last_phases not in (0, choice.phases):
        phases_kwh = RULES.phases_kwh * RULES.phases_growth**unit.phase_changes * sun_share**2
        if choice.phases < unit.last_phases:
            phases_kwh *= RULES.fewer_factor
        return max(price_kwh, phases_kwh)
    return price_kwh


def _explain_present(present: SurplusChoice, *, is_hindered: bool) -> SteeringReason:
    if present.phases == 0:
        return "rests" if is_hindered else "waits_for_surplus"
    return "runs_on" if is_hindered else "follows_surplus"
