"""The kind that learns by reinforcement.

It begins with what a clone, or else a network that imitates, has learned at the same site.

It learns on many homes that the site's history could have been of first, then on the site itself,
judged on holdout days. The homes have other batteries, tariffs and roofs, so that a policy learns
what it is told of a home and not the home by heart.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from luna.energy.devices.battery import Battery
from luna.energy.errors import InvalidInputError
from luna.energy.physics.mode import Mode
from luna.energy.quality_verdict import QualityVerdict
from luna.energy.site import FixedPrice, PriceRule, Site, SpotPrice
from luna.energy.timeline import IndexArray
from luna.platform.extras import TRAINING, require_extra
from services.agent.artefacts import Artefact
from services.agent.declaration import KindDeclaration, Lesson, TrainedParts
from services.agent.environment.episodes import NO_VERDICTS, EpisodeBatch
from services.agent.environment.states import V1_1, StateArray, StateLayout, find_layout
from services.agent.environment.transition import EnvRule
from services.agent.environment.vector_env import VectorEnv
from services.agent.modes import AgentModes
from services.agent.network import SmallNetwork
from services.planner.problem.knowledge import ForecastArchive, PerfectForesight, SitePrices
from services.planner.replay.data import ReplayData

LAYOUT = V1_1
_HEADER = "network.json"
_TENSORS = "network.safetensors"
# Told steps done, steps in all, and what is being done.
Progress = Callable[[int, int, str], None]
Choose = Callable[[StateArray], IndexArray]


@dataclass(frozen=True, slots=True)
class HomeRange:
    """Bounds of random homes; prices in currency/kWh.

    ``capacity_hours`` is the battery's capacity as hours of the site's mean load, drawn evenly in
    its logarithm, ``power_share`` its power in kW per kWh of capacity, ``efficiency`` that of each
    direction, ``pv_scale`` the factor of the site's PV.
    """

    capacity_hours: tuple[float, float] = (5.0, 60.0)
    power_share: tuple[float, float] = (0.25, 1.0)
    efficiency: tuple[float, float] = (0.90, 0.98)
    wear_price: tuple[float, float] = (0.0, 0.03)
    markup: tuple[float, float] = (0.05, 0.25)
    feed_in_price: tuple[float, float] = (0.02, 0.12)
    pv_scale: tuple[float, float] = (0.3, 2.0)


@dataclass(frozen=True, slots=True)
class HomeDraw:
    """The number of random homes: ``batteries`` for each of ``scenes`` tariffs and roofs."""

    scenes: int = 12
    batteries: int = 8
    homes: HomeRange = HomeRange()


def draw_homes(
    scene: ReplayData, draw: HomeDraw, *, rng: np.random.Generator, days: int
) -> EpisodeBatch:
    """Return episodes of homes with the scene's history, but own batteries, tariffs and roofs.

    Raises:
        InvalidInputError: no episode can be made of the scene.
    """
    load, _ = scene.foresight.ahead(scene.timeline.start, scene.timeline)
    mean_load_kw = float(np.nanmean(load / scene.timeline.hours))
    parts = []
    for _ in range(draw.scenes):
        drawn = draw_scene(scene, draw.homes, rng)
        batch = EpisodeBatch.of(drawn, days=days)
        choices = []
        for _ in range(draw.batteries):
            batteries = draw_batteries(drawn.site, draw.homes, mean_load_kw, rng=rng)
            choices.append(batteries)
        parts.append(batch.equip(choices))
    return EpisodeBatch.join(parts)


def draw_scene(scene: ReplayData, homes: HomeRange, rng: np.random.Generator) -> ReplayData:
    """Return the scene under a random tariff and roof."""
    scale = float(rng.uniform(*homes.pv_scale))
    tariff = scene.site.tariff.model_copy(update=_draw_tariff(scene, homes, rng))
    site = scene.site.model_copy(update={"tariff": tariff})
    foresight = scene.foresight
    prices = scene.prices
    forecasts = []
    for forecast in scene.forecasts.forecasts:
        pv_kwh = forecast.pv_kwh.map(lambda energy_kwh: energy_kwh * scale)
        forecasts.append(replace(forecast, pv_kwh=pv_kwh))
    return replace(
        scene,
        site=site,
        foresight=PerfectForesight(
            foresight.timeline, foresight.load_kwh, foresight.pv_kwh * scale
        ),
        prices=SitePrices(site, prices.timeline, prices.books, prices.carbon),
        forecasts=ForecastArchive(forecasts),
    )


def _draw_tariff(
    scene: ReplayData, homes: HomeRange, rng: np.random.Generator
) -> dict[str, PriceRule]:
    """Return a random tariff's rules for import and export.

    Import is spot, mostly with a markup; export is spot or a fixed price. A site without a market
    keeps its own tariff.
    """
    if not scene.prices.books:
        return {}
    market = next(iter(scene.prices.books))
    spot = SpotPrice(kind="spot", market=market)
    marked_up = SpotPrice(
        kind="spot", market=market, markup=round(float(rng.uniform(*homes.markup)), 4)
    )
    fixed = FixedPrice(kind="fixed", price=round(float(rng.uniform(*homes.feed_in_price)), 4))
    imported, exported = ((marked_up, spot), (marked_up, fixed), (spot, spot))[int(rng.integers(3))]
    return {"import_": imported, "export": exported}


def draw_batteries(
    site: Site, homes: HomeRange, mean_load_kw: float, *, rng: np.random.Generator
) -> Sequence[Battery]:
    """Return the site's batteries with capacity, power, efficiency and wear that are drawn."""
    batteries = []
    for battery in site.batteries:
        capacity = (
            mean_load_kw
            / len(site.batteries)
            * float(np.exp(rng.uniform(*np.log(homes.capacity_hours))))
        )
        power = capacity * float(rng.uniform(*homes.power_share))
        efficiency = float(rng.uniform(*homes.efficiency))
        changes = {
            "capacity_kwh": capacity,
            "charge_limit_kw": power,
            "discharge_limit_kw": power,
            "charge_efficiency": efficiency,
            "discharge_efficiency": efficiency,
            "wear_price": float(rng.uniform(*homes.wear_price)),
            "min_charge_kw": min(battery.min_charge_kw, power),
        }
        batteries.append(battery.model_copy(update=changes))
    return batteries


@dataclass(frozen=True, slots=True)
class TrainingRule:
    """Settings of a site's training.

    ``episode_days``: the energy left in the battery has its worth from the next day, so an episode
    lasts several. ``own_share`` of all steps are in the site's own episodes, the others in those of
    random homes. ``holdout_share`` of the days, the latest ones, choose between the networks of the
    two stages, and no network learns from them.
    """

    layout: StateLayout = V1_1
    count: int = 128
    episode_days: int = 3
    own_share: float = 0.4
    holdout_share: float = 0.15
    homes: HomeDraw = field(default_factory=HomeDraw)
    learning_rate: float = 1e-3
    own_learning_rate: float = 3e-4
    # A network that was trained elsewhere comes without its value.
    value_updates: int = 5


def keep_quiet(count: int, total: int, label: str) -> None:
    """Report no progress."""


@dataclass(frozen=True, slots=True)
class TrainingCourse:
    """Steps and seed of a training, its first network, and its folder for checkpoints."""

    steps: int = 2_000_000
    seed: int = 0
    start: SmallNetwork | None = None
    folder: Path | None = None
    progress: Progress = keep_quiet


@dataclass(frozen=True, slots=True)
class TrainingStage:
    """A part of a training: its episodes, and its length."""

    name: str
    batch: EpisodeBatch
    steps: int
    learning_rate: float


@dataclass(frozen=True, slots=True)
class ValidationRun:
    """Mean cost of a day under a policy and under plain rules, currency.

    Stored energy is counted in.
    """

    policy: float
    self_consumption: float
    idle: float


@dataclass(frozen=True, slots=True)
class TrainedNetwork:
    """The best network of a training, its stage, and each stage's costs on the holdout days."""

    network: SmallNetwork
    stage: str
    judged: Mapping[str, ValidationRun]


def train_network(
    scene: ReplayData,
    scenario: TrainingCourse,
    *,
    rule: TrainingRule = TrainingRule(),
    verdicts: Mapping[date, QualityVerdict] = NO_VERDICTS,
) -> TrainedNetwork:
    """Return the policy that was learned from a scene.

    Args:
        scene: actual values, forecasts and prices with their instants of issue.
        scenario: how long, and from where.
        rule: how.
        verdicts: on the quality of days.

    Raises:
        InvalidInputError: too few days can be learned from, or ``scenario.start`` does not read
            states of the rule's layout.
        MachineError: PyTorch is not installed.
    """
    ppo = import_ppo()
    training, holdout = split_holdout(scene, rule)
    own = EpisodeBatch.of(training, days=rule.episode_days, verdicts=verdicts)
    homes = draw_homes(
        training, rule.homes, rng=np.random.default_rng([scenario.seed, 1]), days=rule.episode_days
    )
    judges = EpisodeBatch.of(holdout, days=rule.episode_days, verdicts=verdicts)
    own_steps = round(scenario.steps * rule.own_share)
    stages = [
        TrainingStage("homes", homes, scenario.steps - own_steps, rule.learning_rate),
        TrainingStage("own", own, own_steps, rule.own_learning_rate),
    ]
    networks = {}
    judged = {}
    start = scenario.start
    before = 0
    for stage in stages:
        start = networks[stage.name] = _learn_stage(
            ppo, stage, replace(scenario, start=start), rule=rule, before=before
        )
        judged[stage.name] = judge_policy(judges, choose_best(start), rule)
        before += stage.steps

    def cost_of(name: str) -> float:
        return judged[name].policy

    best = min(judged, key=cost_of)
    return TrainedNetwork(networks[best], best, judged)


def import_ppo() -> ModuleType:
    """Return the learner.

    Raises:
        MachineError: PyTorch is not installed.
    """
    require_extra(TRAINING)
    from services.agent.reinforcement import ppo

    return ppo


def split_holdout(scene: ReplayData, rule: TrainingRule) -> tuple[ReplayData, ReplayData]:
    """Return a scene of the training days and one of the holdout, the latest days.

    Raises:
        InvalidInputError: there are too few for both.
    """
    days = scene.days
    least = rule.episode_days
    holdout_days = max(round(len(days) * rule.holdout_share), least)
    if len(days) < holdout_days + least:
        remedy = "Record more days, or load a history: luna data load."
        raise InvalidInputError(
            f"reinforcement needs at least {2 * least} days",
            field="days",
            value=len(days),
            remedy=remedy,
        )
    first = days[-holdout_days][0]
    earlier = scene.timeline.window(0, first)
    latest = scene.timeline.window(first, scene.timeline.count - first)
    training = replace(scene, timeline=earlier, carbon_g_per_kwh=None)
    holdout = replace(scene, timeline=latest, carbon_g_per_kwh=None)
    return training, holdout


def _learn_stage(
    ppo: ModuleType,
    stage: TrainingStage,
    scenario: TrainingCourse,
    *,
    rule: TrainingRule,
    before: int,
) -> SmallNetwork:
    environment = VectorEnv(
        stage.batch, rule.count, rule=EnvRule(layout=rule.layout, control="modes", start_share=None)
    )
    rollout = int(stage.batch.episodes.count.max())
    warm = 0 if scenario.start is None else rule.value_updates
    settings = ppo.Hyperparameters(
        steps=stage.steps,
        rollout_steps=rollout,
        learning_rate=stage.learning_rate,
        value_updates=warm,
    )
    learner = ppo.Ppo(environment, settings, seed=scenario.seed, start=scenario.start)

    def tell(done: int, total: int, metrics: Mapping[str, float]) -> None:
        del metrics
        scenario.progress(before + stage.steps * done // total, scenario.steps, stage.name)

    if scenario.folder is None:
        return ppo.learn_policy(learner, progress=tell)  # type: ignore[no-any-return]
    with ppo.RunFolder(scenario.folder / stage.name) as folder:
        policy: SmallNetwork = ppo.learn_policy(learner, folder=folder, progress=tell)
    return policy


def choose_best(network: SmallNetwork) -> Choose:
    """Return a function that chooses the mode with a network's highest score."""

    def choose(states: StateArray) -> IndexArray:
        return np.asarray(network.scores(states).argmax(axis=1))

    return choose


def judge_policy(batch: EpisodeBatch, choose: Choose, rule: TrainingRule) -> ValidationRun:
    """Return the mean cost of a batch's days from the same initial state of charge."""
    own = _live(batch, choose, rule)
    house = _live(batch, _always(Mode.SELF_CONSUMPTION), rule)
    idle = _live(batch, _always(Mode.HOLD), rule)
    return ValidationRun(own, house, idle)


def _always(mode: Mode) -> Choose:
    def choose(states: StateArray) -> IndexArray:
        return np.full(len(states), int(mode))

    return choose


def _live(batch: EpisodeBatch, choose: Choose, rule: TrainingRule) -> float:
    count = batch.episodes.size
    environment = VectorEnv(batch, count, rule=EnvRule(layout=rule.layout, control="modes"))
    states = environment.reset(np.random.default_rng(0), np.arange(count))
    alive = np.ones(count, dtype=bool)
    cost = 0.0
    while alive.any():
        states, rewards, done = environment.step(choose(states))
        cost -= float(rewards[alive].sum())
        alive &= ~done
    return cost / (count * rule.episode_days)


def describe_training(
    trained: TrainedNetwork, scenario: TrainingCourse, rule: TrainingRule
) -> dict[str, float]:
    """Return figures of a training."""
    figures = {}
    for stage, judgement in trained.judged.items():
        for name, value in asdict(judgement).items():
            figures[f"{stage}.{name}_per_day"] = value
    return figures | {"steps": float(scenario.steps), "episode_days": float(rule.episode_days)}


def load_rl(artefact: Artefact, site: Site) -> AgentModes:
    """Return the policy of a stored network.

    Raises:
        NetworkError: its layers do not fit on each other.
        InvalidInputError: it reads states of a version that is not known, or other than that
            version's, or scores other than all modes.
    """
    del site
    tensors, header = _unpack(artefact)
    network = SmallNetwork.read(tensors, header)
    layout = find_layout(str(header.get("state_version")))
    if (network.inputs, network.outputs) != (layout.size, len(Mode)):
        value = f"{network.inputs} → {network.outputs}"
        raise InvalidInputError(
            f"the network does not read states {layout.version}",
            field="state_version",
            value=value,
            remedy="Train again.",
        )
    return AgentModes(layout, network.scores)


def train_rl(lesson: Lesson) -> TrainedParts:
    """Train a policy by reinforcement, on random homes and then on the site."""
    from safetensors.numpy import save

    rule = TrainingRule(layout=LAYOUT)
    history = lesson.history
    start, begun_with = find_start(lesson)
    scenario = TrainingCourse(lesson.steps, lesson.seed, start, progress=lesson.progress)
    trained = train_network(history.scene, scenario, rule=rule, verdicts=history.verdicts)
    header = trained.network.header | {"state_version": LAYOUT.version}
    settings = asdict(rule) | {
        "layout": LAYOUT.version,
        "stage": trained.stage,
        "begun_with": begun_with,
    }
    return TrainedParts(
        {_HEADER: json.dumps(header).encode(), _TENSORS: save(trained.network.tensors)},
        settings,
        describe_training(trained, scenario, rule),
    )


def find_start(lesson: Lesson) -> tuple[SmallNetwork | None, str | None]:
    """Return a network that another kind has learned at the site, and that kind.

    None where there is none. It scores all modes in order, as this kind does.
    """
    for kind in ("clone", "network"):
        artefact = lesson.teacher(kind)
        if artefact is not None and artefact.header.state_version == LAYOUT.version:
            return SmallNetwork.read(*_unpack(artefact)), kind
    return None, None


def _unpack(artefact: Artefact) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    from safetensors.numpy import load

    return load(artefact.parts[_TENSORS]), json.loads(artefact.text(_HEADER))


REINFORCEMENT = KindDeclaration("rl", LAYOUT.version, train_rl, load_rl)
