"""Targets of the benchmarks' figures, and the verdicts on them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from luna.energy.site.assumptions import WORTH

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """A figure's description, path in a benchmark's results, bounds and unit."""

    words: str
    path: Path
    at_most: float | None = None
    at_least: float | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A figure compared with its target."""

    bench: str
    target: Target
    value: float
    met: bool

    def document(self) -> dict[str, Any]:
        """Return the JSON document."""
        figure = ".".join((self.bench, *self.target.path))
        return {
            "figure": figure,
            "value": self.value,
            "at_least": self.target.at_least,
            "at_most": self.target.at_most,
            "met": self.met,
        }


_TOLD = {
    "location": "where a home is",
    "yearly_kwh": "a home's yearly consumption",
    "yearly_kwh_by_persons": "a home's yearly consumption beside its persons",
    "shading": "what shades its arrays",
}


def _by_tariff(policy: str, share: Mapping[str, float]) -> tuple[Target, ...]:
    return tuple(
        Target(
            f"{policy} under tariff {tariff}, share of perfect foresight",
            ("tariffs", tariff, "policies", policy, "score"),
            at_least=least,
        )
        for tariff, least in share.items()
    )


def _homes(variant: str, words: str, *, timed: bool) -> tuple[Target, ...]:
    path = ("homes", variant)
    times = (
        Target(f"{words}: CPU, p50", (*path, "p50_ms"), at_most=50, unit="ms"),
        Target("the same, p95", (*path, "p95_ms"), at_most=200, unit="ms"),
    )
    quality = (
        Target(
            f"{words}: homes beyond 0.3 % or a cent above the best known plan",
            (*path, "beyond_allowed"),
            at_most=0,
        ),
        Target(
            f"{words}: homes whose bound a known plan undercuts",
            (*path, "bounds_above_best"),
            at_most=0,
        ),
    )
    return times + quality if timed else quality


def _every_tariff(
    words: str,
    name: str,
    *,
    at_most: float | None = None,
    at_least: float | None = None,
    home: Path = (),
) -> tuple[Target, ...]:
    return tuple(
        Target(
            f"{words}, tariff {tariff}",
            (*home, "tariffs", tariff, name),
            at_most=at_most,
            at_least=at_least,
        )
        for tariff in ("A", "B", "D")
    )


def _learned(
    words: str,
    *path: str,
    at_least: float | None = None,
    at_most: float | None = None,
    unit: str = "",
) -> tuple[Target, ...]:
    return tuple(
        Target(
            f"{words}, tariff {tariff}",
            ("pooled", tariff, *path),
            at_least=at_least,
            at_most=at_most,
            unit=unit,
        )
        for tariff in ("A", "B")
    )


def _forecasts(home: str) -> tuple[Target, ...]:
    load, pv = ((home, "series", series, "aurora_v1.0") for series in ("load_kwh", "pv_kwh"))
    return (
        *_errors(f"{home}: load", load),
        Target(f"{home}: load, MAE over the 7-day average", (*load, "mae_ratio"), at_most=0.84),
        Target(
            f"{home}: load, MAE over the 7-day median", (*load, "mae_over_median"), at_most=0.99
        ),
        *_errors(f"{home}: PV without weather", pv),
        Target(
            f"{home}: PV without weather, MAE over the best baseline",
            (*pv, "mae_over_best_baseline"),
            at_most=1.0,
        ),
        *_durations(home),
    )


def _like_days(home: str) -> tuple[Target, ...]:
    """Return the targets of the default forecast against the mean and the median of seven days."""
    path = (home, "series")
    return tuple(
        Target(
            f"{home}: default for {words}, {what}",
            (*path, series, "baseline_like_days", name),
            at_most=1.0,
        )
        for words, series in (("load", "load_kwh"), ("PV", "pv_kwh"))
        for what, name in (
            ("MAE over the 7-day average", "mae_ratio"),
            ("MAE over the 7-day median", "mae_over_median"),
            ("pinball over the 7-day quantiles", "pinball_ratio"),
        )
    )


def _sunlit() -> tuple[Target, ...]:
    pv = ("sunlit", "series", "pv_kwh", "aurora_v1.0")
    weather = Target(
        "house in its weather: PV, MAE over the 7-day average", (*pv, "mae_ratio"), at_most=0.60
    )
    return (*_errors("house in its weather: PV", pv), weather, *_durations("sunlit"))


def _errors(words: str, path: Path) -> tuple[Target, ...]:
    return (
        Target(
            f"{words}, pinball over the 7-day quantiles",
            (*path, "pinball_over_week_quantiles"),
            at_most=1.0,
        ),
        Target(
            f"{words}, pinball over the best peer", (*path, "pinball_over_best_peer"), at_most=1.0
        ),
        Target(
            f"{words} inside the 80 % band", (*path, "coverage_80"), at_least=0.77, at_most=0.83
        ),
    )


def _durations(home: str) -> tuple[Target, ...]:
    return (
        Target(f"{home}: training both series", (home, "train_seconds"), at_most=10, unit="s"),
        Target(
            f"{home}: issuing 48 h with quantiles",
            (home, "issue_milliseconds"),
            at_most=30,
            unit="ms",
        ),
    )


def _upgrade(place: str, *phases: str) -> tuple[Target, ...]:
    wrong = {
        "lost": "rows lost",
        "changed": "rows changed",
        "objects_lost": "objects lost",
        "faults_found": "answers other than before",
    }
    wrong["plans_missing"] = "plans answered meanwhile and not kept"
    return tuple(
        Target(f"{place}, {phase}: {words}", (place, phase, name), at_most=0)
        for phase in phases
        for name, words in wrong.items()
    )


def _scenarios(home: str) -> tuple[Target, ...]:
    drawn, shuffled = ((home, f"ratio_to_{other}") for other in ("independent", "shuffled"))
    return (
        Target(
            f"{home}: energy score over independent draws", (*drawn, "energy_score"), at_most=1.0
        ),
        Target(
            f"{home}: energy score over the same values in random order",
            (*shuffled, "energy_score"),
            at_most=1.0,
        ),
        Target(
            f"{home}: variogram score over independent draws",
            (*drawn, "variogram_score"),
            at_most=1.0,
        ),
        Target(f"{home}: scenarios of one issue", (home, "milliseconds"), at_most=100, unit="ms"),
    )


def _faultless(words: str, path: Path = ()) -> tuple[Target, ...]:
    return (
        Target(
            f"{words}: minutes without a valid plan while Luna lives",
            (*path, "minutes_without_plan"),
            at_most=2,
        ),
        Target(f"{words}: sentences that were false", (*path, "sentences_false"), at_most=0),
        Target(f"{words}: readings lost", (*path, "readings_lost"), at_most=0),
    )


# Incidents of the fortnight, each with its aftermath.
PERIODS = ("undisturbed", "battery_deaf", "luna_stopped", "network_away", "meter_frozen")


def _readability(language: str, words: str) -> tuple[Target, ...]:
    """Return the targets of one language's sentences."""
    return (
        Target(
            f"{words}: words a sentence on pages", (language, "pages", "mean_words"), at_most=11
        ),
        Target(
            f"{words}: words a sentence in messages",
            (language, "messages", "mean_words"),
            at_most=14,
        ),
        Target(
            f"{words}: longest sentence on pages", (language, "pages", "longest_words"), at_most=25
        ),
        Target(
            f"{words}: longest sentence in messages",
            (language, "messages", "longest_words"),
            at_most=25,
        ),
    )


def _claim_checks(name: str, words: str) -> tuple[Target, ...]:
    """Return the targets of one set of true and false sentences."""
    return (
        Target(f"{words}: false sentences that pass", (name, "false_passing"), at_most=0),
        Target(f"{words}: share of true ones that pass", (name, "true_share"), at_least=0.95),
    )


def _steering_limit(words: str, name: str) -> tuple[Target, ...]:
    return (
        Target(f"{words}: seconds until it holds", (name, "settled_s"), at_most=10, unit="s"),
        Target(
            f"{words}: longest time more than 3 % above, later",
            (name, "longest_over_s"),
            at_most=5,
            unit="s",
        ),
    )


def _lived_days(words: str, *path: str) -> tuple[Target, ...]:
    """Return the targets of one home's days under the planner."""
    return (
        Target(
            f"{words}: saved by the loop beside the plan alone",
            (*path, "loop_gains"),
            at_least=0.0,
            unit="EUR",
        ),
        Target(
            f"{words}: longest time above the connection's limit",
            (*path, "loop", "longest_above_s"),
            at_most=10,
            unit="s",
        ),
    )


TARGETS: dict[str, tuple[Target, ...]] = {
    "readability": (
        *_readability("en", "English"),
        *_readability("de", "German"),
        *_readability("nl", "Dutch"),
    ),
    "claim_checks": (
        *_claim_checks("main", "300 sentences"),
        *_claim_checks("second", "60 sentences left aside"),
    ),
    "steering": (
        Target(
            "surplus charging: share of what was charged that was bought",
            ("surplus", "luna", "bought_share"),
            at_most=0.05,
        ),
        Target(
            "surplus charging: share of an ideal follower's energy",
            ("surplus", "luna", "of_ideal"),
            at_least=0.9,
        ),
        Target(
            "surplus charging: most starts of a day",
            ("surplus", "luna", "most_starts"),
            at_most=6,
        ),
        Target(
            "surplus charging: most changes of phases of a day",
            ("surplus", "luna", "most_phase_changes"),
            at_most=4,
        ),
        Target(
            "days that are dearer with the loop than by the plan alone",
            ("costs", "dearer_than_plan"),
            at_most=0,
        ),
        Target(
            "days with a flat tariff that are dearer than without Luna",
            ("costs", "dearer_than_without_luna"),
            at_most=0,
        ),
        *_lived_days("home with car", "fortnight", "car"),
        *_lived_days("home with car and battery", "fortnight", "battery"),
        *_steering_limit("operator's limit of devices", "limit_of_devices"),
        *_steering_limit("operator's limit of the connection", "limit_of_connection"),
        Target(
            "fuse of a phase: longest time more than 3 % above since the house's last step",
            ("fuse_of_phase", "longest_since_step_s"),
            at_most=5,
            unit="s",
        ),
        Target(
            "export cap: minutes above it",
            ("export_cap", "minutes_above"),
            at_most=0,
        ),
        Target(
            "export cap: energy lost beyond perfect foresight",
            ("export_cap", "lost_share"),
            at_most=0.02,
        ),
        Target("CPU of a cycle", ("cpu", "cycle_ms"), at_most=0.3, unit="ms"),
        Target(
            "share of a core for 100 homes, a cycle every 2 s",
            ("cpu", "core_share_100_homes"),
            at_most=1.0,
        ),
        Target(
            "process: cycles more than 1 s late, one home",
            ("process", "late_cycles"),
            at_most=0,
        ),
        Target(
            "process: cycles more than 1 s late, 100 homes",
            ("process_100_homes", "late_cycles"),
            at_most=0,
        ),
        Target(
            "process: share of a core, one home",
            ("process", "core_share"),
            at_most=0.03,
        ),
        Target(
            "process: share of a core, 100 homes",
            ("process_100_homes", "core_share"),
            at_most=1.0,
        ),
    ),
    "planner": (
        Target(
            "whole call with words over HiGHS alone, cold",
            ("ratio_to_floor",),
            at_most=3.0,
            unit="×",
        ),
        Target(
            "build, solve, check, explain over HiGHS alone, cold",
            ("without_reply_ratio_to_floor",),
            at_most=2.0,
            unit="×",
        ),
        Target("EMHASS over the whole call", ("peers", "emhass", "ratio"), at_least=80, unit="×"),
        Target(
            "negative prices: p95 over the full model's p50",
            ("negative_prices", "p95_ratio_to_full_milp"),
            at_most=1.0,
            unit="×",
        ),
        Target(
            "hardest prices: p95 over the full model's p50",
            ("hard_prices", "p95_ratio_to_full_milp"),
            at_most=1.0,
            unit="×",
        ),
        Target("new forecast, same site", ("replan_p50_ms",), at_most=5.0, unit="ms"),
        Target("dearer than the full model", ("dearer_than", "highs_milp"), at_most=1e-6),
        Target("dearer than PuLP + CBC", ("dearer_than", "pulp_cbc"), at_most=1e-6),
        Target("dearer than EMHASS", ("dearer_than", "emhass"), at_most=1e-6),
        Target("dearer than the known optimum", ("dearer_than", "known_optimum"), at_most=1e-6),
    ),
    "devices": (
        Target(
            "battery, car, heater and peak: whole call, p50", ("p50_ms",), at_most=25, unit="ms"
        ),
        Target("the same, p95", ("p95_ms",), at_most=100, unit="ms"),
        Target("largest proven gap", ("largest_gap",), at_most=0.003),
        Target("new forecast, same site", ("replan", "p50_ms"), at_most=25, unit="ms"),
        Target("five scenarios over one", ("scenarios", "ratio"), at_most=8, unit="×"),
        Target("EMHASS over the whole call", ("peers", "emhass", "ratio"), at_least=40, unit="×"),
        *_homes("energy", "car with phases and starts, heater with comfort", timed=True),
        *_homes("monthly_peak", "the same with a price on the month's peak", timed=True),
        *_homes("heat_pump", "the same with a heat pump", timed=False),
        Target(
            "EMHASS over the plan of such a home",
            ("homes", "energy", "peers", "emhass", "ratio"),
            at_least=40,
            unit="×",
        ),
        Target(
            "Luna over EMHASS, the same home and gap",
            ("homes", "energy", "peers", "emhass", "luna_costs_more"),
            at_most=0.01,
        ),
    ),
    "energy_value": (
        Target("140 slots, one path", ("p50_ms",), at_most=0.05, unit="ms"),
        Target("140 slots, 15 paths", ("paths_p50_ms",), at_most=0.4, unit="ms"),
        Target(
            "from 15 scenarios of load and PV to an hour's thresholds",
            ("courses_p50_ms",),
            at_most=1.0,
            unit="ms",
        ),
    ),
    "oracle": (
        Target("365 days, one by one", ("days_s",), at_most=6.0, unit="s"),
        Target("the year as one problem", ("year_s",), at_most=6.0, unit="s"),
        Target(
            "spot both ways: 365 days, one by one",
            ("spot_both_ways", "days_s"),
            at_most=6.0,
            unit="s",
        ),
        Target(
            "dearer than the full model on the hardest days",
            ("dearer_than_full_milp",),
            at_most=1e-6,
        ),
        Target(
            "spot both ways: dearer than the full model on the hardest days",
            ("spot_both_ways", "dearer_than_full_milp"),
            at_most=1e-6,
        ),
    ),
    "edge_labels": (
        Target("100,000 labels on one core", ("one_core", "s_per_100k"), at_most=15, unit="s"),
        Target(
            "100,000 labels, drawn and written by all cores",
            ("stage", "100000", "s"),
            at_most=15,
            unit="s",
        ),
        Target("OR-Tools on the same problem", ("ortools", "times_slower"), at_least=100, unit="×"),
        Target(
            "one problem of one step per scenario, by CBC",
            ("single_step", "times_slower"),
            at_least=10,
            unit="×",
        ),
        Target("objective beside OR-Tools'", ("objective_differs_wh",), at_most=1e-6, unit="Wh"),
        Target(
            "peak memory at 1,000,000 labels",
            ("stage", "1000000", "peak_mb"),
            at_most=1000,
            unit="MB",
        ),
    ),
    "edge_simulation": (
        # For controllers trained with default settings, in the full form.
        Target(
            "learned: of the oracle's clean share, lower end",
            ("judged", "custom", "share_of_oracle_clean", "low"),
            at_least=0.9,
        ),
        Target(
            "learned: better than the smallest model, lower end",
            ("judged", "custom", "objective_wh_less_than_naive_weak", "low"),
            at_least=0,
            unit="Wh/day",
        ),
        Target(
            "learned: better than the largest model, lower end",
            ("judged", "custom", "objective_wh_less_than_naive_strong", "low"),
            at_least=0,
            unit="Wh/day",
        ),
    ),
    "edge_faults": tuple(
        Target(f"{case}: rows {fault}", (case, fault), at_most=0)
        for case in ("killed", "workers_killed", "full_disk")
        for fault in ("lost", "doubled", "different")
    ),
    "decisions": (
        *_by_tariff("mpc", {"A": 0.90, "B": 0.95, "D": 0.995}),
        Target(
            "mode changes a day, tariff A",
            ("tariffs", "A", "policies", "mpc", "mode_changes_per_day"),
            at_most=6.0,
        ),
        Target(
            "mode changes a day, tariff B",
            ("tariffs", "B", "policies", "mpc", "mode_changes_per_day"),
            at_most=2.5,
        ),
        *_every_tariff("mpc over self-consumption", "mpc_over_self_consumption", at_least=0.0),
        *_by_tariff("mpc_scenarios", {"A": 0.90, "B": 0.95, "D": 0.995}),
        Target(
            "mode changes a day by scenarios, tariff A",
            ("tariffs", "A", "policies", "mpc_scenarios", "mode_changes_per_day"),
            at_most=6.0,
        ),
        Target(
            "mode changes a day by scenarios, tariff B",
            ("tariffs", "B", "policies", "mpc_scenarios", "mode_changes_per_day"),
            at_most=2.5,
        ),
        *_every_tariff(
            "mpc_scenarios over self-consumption",
            "mpc_scenarios_over_self_consumption",
            at_least=0.0,
        ),
        *_every_tariff(
            "feed_in: mpc over self-consumption",
            "mpc_over_self_consumption",
            at_least=0.0,
            home=("feed_in",),
        ),
        *_every_tariff(
            "feed_in: mpc_scenarios over self-consumption",
            "mpc_scenarios_over_self_consumption",
            at_least=0.0,
            home=("feed_in",),
        ),
        *_every_tariff(
            "feed_in: best policy beside the oracle",
            "best_score",
            at_most=1.0 + 1e-9,
            home=("feed_in",),
        ),
        *_every_tariff("feed_in: breaches of limits", "violations", at_most=0, home=("feed_in",)),
        *_every_tariff("best policy beside the oracle", "best_score", at_most=1.0 + 1e-9),
        *_every_tariff("breaches of limits", "violations", at_most=0),
    ),
    "agent_decisions": (
        # What the founding documents reached on other days of another home; Antares and the planner
        # stand beside each other in every row below.
        *_by_tariff("rule", {"A": 0.85}),
        *_by_tariff("antares", {"A": 0.92}),
        *_learned(
            "Antares over mpc, points, lower end of the interval", "antares", "low", at_least=0.0
        ),
        *_learned("reinforcement learning over mpc, points", "rl", "points", at_least=0.0),
        *_every_tariff("best policy beside the oracle", "best_score", at_most=1.0 + 1e-9),
        *_every_tariff(
            "worst agent over self-consumption, points", "worst_over_self_consumption", at_least=0.0
        ),
        *_every_tariff("breaches of limits and unmet demand", "breaches", at_most=0),
        *(
            Target(f"{name}: a decision", ("decision_p50_ms", name), at_most=1.0, unit="ms")
            for name in ("antares", "imitation", "network", "clone", "rl")
        ),
    ),
    "agent_training": (
        Target("reinforcement, 2 M steps on one thread", ("seconds",), at_most=20, unit="s"),
        Target(
            "stable-baselines3 as it comes over ours",
            ("stable_baselines3", "default", "ratio"),
            at_least=30,
            unit="×",
        ),
        Target(
            "stable-baselines3 with a vectorised environment over ours",
            ("stable_baselines3", "fast", "ratio"),
            at_least=1.5,
            unit="×",
        ),
    ),
    "closed_loop": (
        Target(
            "flat tariffs: worst over self-consumption, EUR a week",
            ("flat", "worst_over_self"),
            at_most=1e-6,
        ),
        Target(
            "elsewhere, forecasts without bias: worst over self-consumption, share of what "
            "can be saved",
            ("elsewhere", "worst_share"),
            at_most=0.005,
        ),
        Target("exceptions", ("exceptions",), at_most=0),
        Target("breaches of limits", ("breaches",), at_most=0),
        Target("followed beside replayed, EUR a week", ("largest_from_replayed",), at_most=1e-9),
    ),
    "prices": (
        Target(
            "months dearer where the plan knows the hours of the grid fee",
            ("grid_fee", "dearer_months"),
            at_most=0,
        ),
        # Of all months: where a week ends, what is left in the battery counts at one price.
        Target(
            "what a plan saves that knows that the hour is billed",
            ("hourly", "gain"),
            at_least=0,
            unit="EUR",
        ),
        Target(
            "a plan's price of eight components over one: CPU more",
            ("plan", "more_ms"),
            at_most=1,
            unit="ms",
        ),
        Target(
            "a year of quarter-hours priced with eight components, CPU, the first time",
            ("year", "first_ms"),
            at_most=10,
            unit="ms",
        ),
        Target("the same again, p50", ("year", "p50_ms"), at_most=10, unit="ms"),
    ),
    "fortnight": (
        Target(
            "a simulated home's fortnight with incidents, share of perfect foresight's saving",
            ("share_of_foresight",),
            at_least=0.5,
        ),
        # After hours of downtime the plan is too old; the first turn makes a new one.
        *_faultless("all of it"),
        *(
            target
            for period in PERIODS
            for target in _faultless(period.replace("_", " "), ("periods", period))
        ),
    ),
    "departures": (
        Target(
            "a commuter's learnt departures in unseen weeks, within a quarter of an hour",
            ("commuter", "within_15_minutes"),
            at_least=0.8,
        ),
        Target(
            "the same, with no more energy needed than proposed",
            ("commuter", "energy_enough"),
            at_least=0.9,
        ),
        Target(
            "weekly departures proposed for a shift worker",
            ("shift_worker", "proposals"),
            at_most=0,
        ),
    ),
    "steering_fortnight": (
        *_lived_days("home with car", "car"),
        *_lived_days("home with car and battery", "battery"),
    ),
    "product_fortnight": (
        Target(
            "a fortnight on each product that Luna speaks to itself, false sentences",
            ("sentences_false",),
            at_most=0,
        ),
        Target("the same, readings lost", ("readings_lost",), at_most=0),
        Target(
            "the same, energy stored beside what flowed, off by at most",
            ("most_off",),
            at_most=0.01,
        ),
        Target(
            "the same, longest without control after a fault",
            ("longest_without_control_s",),
            # What did not answer is left alone until a quarter-hour begins.
            at_most=900,
            unit="s",
        ),
    ),
    "agent_imitation": (
        Target(
            "days labelled by perfect foresight, one process",
            ("label_days_per_second",),
            unit="days/s",
        ),
        Target(
            "one decision of trees",
            ("milliseconds", "imitation", "decision"),
            at_most=1.0,
            unit="ms",
        ),
        Target(
            "one decision of a network",
            ("milliseconds", "network", "decision"),
            at_most=1.0,
            unit="ms",
        ),
    ),
    "agent_environment": (
        Target(
            "many sites side by side, one thread",
            ("steps_per_s",),
            at_least=10_000_000,
            unit="steps/s",
        ),
    ),
    "bandit": (
        Target(
            "LinUCB, mean reward where the best arms bring 0.7517 and any 0.573",
            ("linucb", "reward"),
            at_least=0.72,
        ),
        Target(
            "Thompson sampling, mean reward on the same set", ("thompson", "reward"), at_least=0.72
        ),
        Target("LinUCB, a choice", ("linucb", "choice_p50_ms"), at_most=1.0, unit="ms"),
        Target(
            "Thompson sampling, a choice", ("thompson", "choice_p50_ms"), at_most=1.0, unit="ms"
        ),
    ),
    "queue": (
        Target("tasks through the queue", ("tasks_per_s",), at_least=500, unit="/s"),
        Target(
            "POST /plan over the planner's own time",
            ("post_plan", "over_planner_p50_ms"),
            at_most=15,
            unit="ms",
        ),
        Target(
            "the same in round trips of a task that does nothing",
            ("post_plan", "over_in_round_trips"),
            at_most=3.0,
            unit="×",
        ),
    ),
    "data": (
        Target("upsert over bare COPY", ("copy", "ratio_to_bare"), at_least=0.6, unit="×"),
        Target("CSV with validation", ("load", "rows_per_s"), at_least=100_000, unit="rows/s"),
        Target("memory of a load", ("load", "peak_mb"), at_most=300, unit="MB"),
        Target("a year by the hour, p95", ("query", "1h_p95_ms"), at_most=50, unit="ms"),
        Target("a year by the day, p95", ("query", "1d_p95_ms"), at_most=50, unit="ms"),
        Target("a year by the quarter hour, p95", ("query", "15m_p95_ms"), at_most=200, unit="ms"),
        Target(
            "a file over HTTP until it is stored",
            ("upload", "rows_per_s"),
            at_least=100_000,
            unit="rows/s",
        ),
        Target(
            "gateway's memory with a file passing through",
            ("upload", "gateway_peak_mb"),
            at_most=300,
            unit="MB",
        ),
    ),
    "recorder": (
        Target(
            "readings of 100 callers, on the disk before acknowledged",
            ("callers_100", "per_s"),
            at_least=2_000,
            unit="/s",
        ),
        Target("a lone reading until acknowledged", ("callers_1", "p50_ms"), at_most=20, unit="ms"),
    ),
    "history": (
        Target(
            "a year of eight sensors out of Home Assistant's statistics",
            ("rows_per_s",),
            at_least=10_000,
            unit="rows/s",
        ),
    ),
    "gateway": (
        Target(
            "the latest plan with a key, requests per second over a bare application's",
            ("latest_plan_ratio",),
            at_least=0.5,
            unit="×",
        ),
        Target("the same where nothing changed", ("not_modified_ratio",), at_least=0.5, unit="×"),
    ),
    "page": (
        Target("JavaScript of Home, compressed", ("javascript_kb",), at_most=200, unit="kB"),
        Target("Home: first text", ("first_paint_ms",), at_most=1000, unit="ms"),
        Target("Home: chart drawn", ("chart_ms",), at_most=2500, unit="ms"),
        Target(
            "Home beside 200 who watch live", ("page_beside_watchers_ms",), at_most=100, unit="ms"
        ),
    ),
    "knowledge": (
        Target(
            "search among 50,000 passages at the client, p95",
            ("search", "p95_ms"),
            at_most=50,
            unit="ms",
        ),
        Target(
            "fused over the better side, least of all sets",
            ("quality", "least_fused_over_better"),
            at_least=0.99,
            unit="×",
        ),
        Target(
            "fused over the better side, most of all sets",
            ("quality", "most_fused_over_better"),
            at_least=1.0 + 1e-9,
            unit="×",
        ),
        Target("questions on data answered right", ("data", "reported", "right"), at_least=27),
        Target("questions on data answered falsely", ("data", "reported", "false"), at_most=0),
        Target(
            "figures of answers that stand in a cited passage",
            ("answers", "figures_carried", "share"),
            at_least=1.0,
        ),
        Target(
            "hostile questions and documents that nothing came of",
            ("answers", "injections_resisted", "share"),
            at_least=1.0,
        ),
    ),
    "forecast": (
        *_forecasts("home"),
        *_forecasts("feed_in"),
        *_sunlit(),
        *(
            target
            for home in ("home", "feed_in", "citylearn", "sunlit")
            for target in _like_days(home)
        ),
        Target(
            "more history is worse by, in pinball over the 7-day average",
            ("cold_start", "largest_step_up"),
            at_most=0.0,
        ),
        *(
            Target(
                f"{home}: load without history, MAE of the standard profile over the flat one",
                ("without_history", home, "mae_ratio"),
                at_most=most,
            )
            for home, most in (("home", 0.9), ("feed_in", 0.95), ("citylearn", None))
        ),
    ),
    "assumptions": tuple(
        Target(f"what telling {_TOLD[code]} is worth, of the bill", ("worth", code), at_least=least)
        for code, least in WORTH.items()
    ),
    "scenarios": (
        *_scenarios("home"),
        *_scenarios("feed_in"),
        Target(
            "prices not yet published: pinball over a copy of the last known day",
            ("prices", "ratio_to_last_day"),
            at_most=1.0,
        ),
        Target(
            "prices not yet published: pinball over quantiles of seven days",
            ("prices", "ratio_to_seven_days"),
            at_most=1.0,
        ),
    ),
    "nodes": (
        Target("accepted work that was lost", ("ledger", "lost"), at_most=0),
        Target("accepted work that was done twice", ("ledger", "doubled"), at_most=0),
        Target(
            "a killed node's last job begun by another",
            ("faults", "killed", "last_taken_s"),
            at_most=60,
            unit="s",
        ),
    ),
    "saturation": tuple(
        Target(
            f"{kind}: jobs that ended badly after overload",
            (kind, "after", "jobs_ended_badly"),
            at_most=0,
        )
        for kind in ("plan_read", "history", "readings", "job", "plan", "mixed")
    ),
    "soak": (
        Target("requests not served", ("not_served",), at_most=0),
        Target("what grew for certain", ("leaks_found",), at_most=0),
        Target("jobs that ended badly", ("jobs_ended_badly",), at_most=0),
    ),
    "uploads": (Target("a file waits while trainings run", ("longest_s",), at_most=30, unit="s"),),
    "hard_weeks": (
        Target(
            "in two seconds, within 5 % of the best that is known: share of weeks",
            ("within_five_percent",),
            at_least=1.0,
        ),
        Target(
            "beyond the connection where the best is not: share of weeks",
            ("beyond_the_connection",),
            at_most=0.0,
        ),
        Target("longest, CPU", ("longest_cpu_s",), at_most=2.0, unit="s"),
    ),
    "idle": (
        Target(
            "one home's Luna after an idle minute, all its processes",
            ("share_mb",),
            at_most=700,
            unit="MB",
        ),
        Target("the gateway answers after a warm start", ("answered_s",), at_most=5, unit="s"),
    ),
    "house": (
        Target(
            "functions on the path of one plan of one battery", ("plan", "functions"), at_most=250
        ),
        Target("files on it", ("plan", "files"), at_most=30),
        Target("how deep it goes", ("plan", "deep"), at_most=12),
        Target(
            "private functions with one caller", ("private_with_one_caller", "share"), at_most=0.15
        ),
        Target("modules with one importer", ("modules_with_one_importer", "share"), at_most=0.125),
        Target("lines of a function, p90", ("function_lines", "p90"), at_most=40),
        Target("lines of the longest function", ("function_lines", "longest"), at_most=120),
        Target("lines of luna and services", ("lines",), at_most=100_000),
    ),
    "small_machine": (
        Target("one core and 1 GB: processes that were killed for memory", ("killed",), at_most=0),
        Target(
            "one core and 1 GB: quarter-hours of a day in which the battery was told what "
            "to do, and was read back",
            ("confirmed_share",),
            at_least=0.99,
        ),
        Target(
            "one core and 1 GB: the slowest page, its first visit included",
            ("slowest_visit_s",),
            at_most=2.0,
            unit="s",
        ),
    ),
    "first_run": (
        Target(
            "a cold make demo in a fresh clone, CPU in loops of 30 million additions",
            ("cold_loops",),
            at_most=22,
        ),
        Target("the same once more", ("warm_loops",), at_most=13),
        Target("the environment it made", ("environment_mb",), at_most=900, unit="MB"),
    ),
    "worker_memory": (
        Target("what a worker grows by", ("bytes_per_task",), at_most=100, unit="B a task"),
    ),
    "chaos": (
        *(
            Target(f"acknowledged and {fault}", (fault,), at_most=0)
            for fault in ("lost", "doubled", "wrong")
        ),
        Target("set-points beyond limits", ("beyond_limits",), at_most=0),
        Target("faults after which something did not come back", ("not_recovered",), at_most=0),
    ),
    "upgrade": (
        *_upgrade("containers", "old_on_new", "update", "back"),
        *_upgrade("embedded", "update", "back"),
        Target(
            "containers, new schema under the release before: reads that failed",
            ("containers", "old_on_new", "reads_failed"),
            at_most=0,
        ),
        Target(
            "containers, new schema under the release before: plans that failed",
            ("containers", "old_on_new", "plans_failed"),
            at_most=0,
        ),
    ),
    "restore_time": (
        Target(
            "rows that did not come back, of those older than a minute", ("rows_lost",), at_most=0
        ),
        Target("what was written last and did not come back", ("rpo_s",), at_most=60, unit="s"),
    ),
    "compose": (
        Target("gateway at rest", ("idle_mib", "api"), at_most=150, unit="MiB"),
        Target("largest worker at rest", ("idle_mib", "worker"), at_most=250, unit="MiB"),
        Target("gateway's image over its base", ("image_mb", "api"), at_most=200, unit="MB"),
        Target("planner's image over its base", ("image_mb", "planner"), at_most=300, unit="MB"),
    ),
}


def judge(bench: str, figures: Mapping[str, Any]) -> list[Verdict]:
    """Return the verdicts on a benchmark's figures; figures that were not measured are left out."""
    found = ((target, _find(figures, target.path)) for target in TARGETS.get(bench, ()))
    return [
        Verdict(bench, target, value, _holds(target, value))
        for target, value in found
        if value is not None
    ]


def _find(figures: Any, path: Path) -> float | None:
    for name in path:
        figures = figures.get(name) if isinstance(figures, Mapping) else None
    return None if figures is None else float(figures)


def _holds(target: Target, value: float) -> bool:
    return (target.at_most is None or value <= target.at_most) and (
        target.at_least is None or value >= target.at_least
    )
