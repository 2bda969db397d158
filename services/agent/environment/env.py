"""One site, one episode at a time, as any learner of the gymnasium kind steps it."""

from datetime import date
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from luna.errors import InvalidInputError
from luna.physics import SiteLimits
from luna.timeline import FloatArray, parse_day
from services.agent.environment.actions import POWERS, Action
from services.agent.environment.episodes import EpisodeBatch
from services.agent.environment.states import MOST, StateArray
from services.agent.environment.transition import EnvRule, EpisodeNow, SitesNow, StepResult, reward_step, step_sites


class AntaresEnv(gymnasium.Env[StateArray, Any]):
    """Episodes of a batch, one after the other; the same day and seed, the same course.

    Args:
        batch: episodes to choose from.
        rule: what is shown, taken and rewarded.
    """

    metadata = {"render_modes": []}

    def __init__(self, batch: EpisodeBatch, rule: EnvRule = EnvRule()) -> None:  # noqa: B008 - it is frozen
        self.batch, self.rule = batch, rule
        self.observation_space = gymnasium.spaces.Box(-MOST, MOST, (rule.layout.size,), np.float32)
        discrete = rule.control == "discrete"
        self.action_space = gymnasium.spaces.Discrete(len(Action)) if discrete else gymnasium.spaces.Box(0.0, 1.0, (POWERS,), np.float32)
        self._episode, self._slot = -1, 0
        self._stored_kwh: FloatArray = np.empty((0, 1))
        self._first_soc: FloatArray = np.zeros(1)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[StateArray, dict[str, Any]]:
        """Begin an episode.

        Args:
            seed: of what is drawn from now on.
            options: ``day`` (a local date or its text) and ``site`` (a name) choose the episode, default: drawn; ``share`` is how full batteries are.

        Raises:
            InvalidInputError: the day was refused, or the share lies outside 0 to 1.
            NotFoundError: no episode begins on the day.
        """
        super().reset(seed=seed)
        asked = options or {}
        self._episode = self._choose(asked.get("day"), asked.get("site"))
        share = self.rule.start_share if asked.get("share") is None else asked["share"]
        share = self.np_random.random() if share is None else float(share)
        if not 0.0 <= share <= 1.0:
            raise InvalidInputError("a share lies between 0 and 1", field="options.share", value=share)
        self._slot = 0
        battery = self._limits.batteries
        self._stored_kwh = battery.min_kwh + share * (battery.max_kwh - battery.min_kwh)
        self._first_soc = self._soc
        return self._state(), {"day": self.batch.episodes.day[self._episode].isoformat(), "site": self._site.name}

    def step(self, action: Any) -> tuple[StateArray, float, bool, bool, dict[str, Any]]:
        """Live through a slot; an episode terminates with its last one."""
        now = self._now()
        episodes, done = self.batch.episodes, self._slot + 1 == self.batch.episodes.count[self._episode]
        judged = EpisodeNow(episodes.worth[[self._episode]], self._capacity_kwh, self._first_soc, np.array([done]))
        result = reward_step(self.batch, self.rule, now, step_sites(self.batch, self.rule, now, np.asarray(action)[None]), judged)
        self._stored_kwh = result.transition.flows.stored_kwh
        # What follows on the last slot is no slot of the episode: its state is that of the last one, with what is stored then.
        self._slot += 0 if done else 1
        return self._state(), float(result.reward[0]), bool(done), False, self._describe(result)

    def _choose(self, day: date | str | None, site: str | None) -> int:
        if day is None:
            return int(self.np_random.integers(self.batch.episodes.size))
        return self.batch.find(parse_day(day, field="options.day") if isinstance(day, str) else day, site=site)

    @property
    def _site(self) -> Any:
        return self.batch.sites[self.batch.episodes.site[self._episode]]

    @property
    def _limits(self) -> SiteLimits:
        return SiteLimits.of(self._site)

    @property
    def _capacity_kwh(self) -> FloatArray:
        return np.asarray(self._limits.batteries.capacity_kwh.sum(axis=0))

    @property
    def _soc(self) -> FloatArray:
        return np.asarray(self._stored_kwh.sum(axis=0) / self._capacity_kwh)

    def _now(self) -> SitesNow:
        wear = np.array([[battery.wear_price] for battery in self._site.batteries])
        return SitesNow(self._limits, wear, self._stored_kwh, self.batch.episodes.first[[self._episode]] + self._slot)

    def _state(self) -> NDArray[np.float32]:
        return self.rule.layout.build(self.batch.known, self._now().slots, self._soc, self._capacity_kwh)[0]

    def _describe(self, result: StepResult) -> dict[str, Any]:
        flows, costs = result.transition.flows, result.transition.costs
        return {
            "cost": float(result.cost[0]),
            "import_cost": float(costs.import_cost[0]),
            "export_cost": float(costs.export_cost[0]),
            "wear_cost": float(costs.wear_cost[0]),
            "potential": float(result.potential[0]),
            "shaping": float(result.shaping[0]),
            "import_kwh": float(flows.import_kwh[0]),
            "export_kwh": float(flows.export_kwh[0]),
            "charge_kwh": float(flows.charge_kwh.sum()),
            "discharge_kwh": float(flows.discharge_kwh.sum()),
            "curtailed_kwh": float(flows.curtailed_kwh[0]),
            "excess_kwh": float(flows.excess_kwh[0]),
            "stored_kwh": flows.stored_kwh[:, 0].tolist(),
            "mode": result.transition.setpoint.mode[:, 0].tolist(),
            "intervened": bool(result.transition.intervened[0]),
        }
