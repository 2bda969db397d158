"""The gymnasium environment: one site, one episode at a time."""

from typing import Any

import gymnasium
import numpy as np

from luna.energy.errors import InvalidInputError
from luna.energy.physics.limits import SiteLimits
from luna.energy.site import Site
from luna.energy.timeline import FloatArray, IndexArray, parse_day
from services.agent.environment.actions import POWERS
from services.agent.environment.episodes import EpisodeBatch
from services.agent.environment.kernels import MOST
from services.agent.environment.states import StateArray
from services.agent.environment.transition import PLAIN, EnvRule, SitesNow, StepResult, step_sites


class AntaresEnv(gymnasium.Env[StateArray, Any]):
    """Episodes of a batch, one after the other; deterministic for a day and seed.

    Args:
        batch: episodes to choose from.
        rule: observations, actions and rewards.
    """

    metadata = {"render_modes": []}

    def __init__(self, batch: EpisodeBatch, rule: EnvRule = PLAIN) -> None:
        self.batch = batch
        self.rule = rule
        self.observation_space = gymnasium.spaces.Box(-MOST, MOST, (rule.layout.size,), np.float32)
        self.action_space: gymnasium.spaces.Space[Any]
        if rule.control == "continuous":
            self.action_space = gymnasium.spaces.Box(0.0, 1.0, (POWERS,), np.float32)
        else:
            self.action_space = gymnasium.spaces.Discrete(rule.action_count)
        self._episode = 0
        self._slot = 0
        self._seat(0)
        self._stored_kwh: FloatArray = np.empty((0, 1))
        self._first_soc: FloatArray = np.zeros(1)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[StateArray, dict[str, Any]]:
        """Begin an episode.

        Args:
            seed: of all draws from now on.
            options: ``day`` (a local date or its text) and ``site`` (a name) choose the episode,
                default: drawn; ``share`` is the initial stored energy between lowest and highest
                    state of charge, 0–1.

        Raises:
            InvalidInputError: the day was refused, or the share lies outside 0 to 1.
            NotFoundError: no episode begins on the day.
        """
        super().reset(seed=seed)
        choices = options or {}
        day = choices.get("day")
        if day is None:
            self._episode = int(self.np_random.integers(self.batch.episodes.size))
        else:
            if isinstance(day, str):
                day = parse_day(day, field="options.day")
            self._episode = self.batch.find(day, site=choices.get("site"))
        share = choices.get("share")
        if share is None:
            share = self.rule.start_share
        share = self.np_random.random() if share is None else float(share)
        if not 0.0 <= share <= 1.0:
            raise InvalidInputError(
                "a share lies between 0 and 1", field="options.share", value=share
            )
        self._slot = 0
        self._seat(self._episode)
        battery = self._limits.batteries
        self._stored_kwh = battery.min_kwh + share * (battery.max_kwh - battery.min_kwh)
        self._first_soc = self._soc
        return self._state(), {
            "day": self.batch.episodes.day[self._episode].isoformat(),
            "site": self._site.name,
        }

    def step(self, action: Any) -> tuple[StateArray, float, bool, bool, dict[str, Any]]:
        """Simulate a slot under ``action``; the episode terminates with its last slot."""
        episodes = self.batch.episodes
        done = bool(self._slot + 1 == self.batch.episodes.count[self._episode])
        worth = episodes.worth[[self._episode]]
        now = SitesNow(
            limits=self._limits,
            wear_price=self._wear_price,
            stored_kwh=self._stored_kwh,
            capacity_kwh=self._capacity_kwh,
            worth=worth,
            first_soc=self._first_soc,
            done=np.array([done]),
        )
        slot = self.batch.slots.at(self._place)
        actions = self.rule.read(np.asarray(action)[None])
        result = step_sites(self.rule, now, slot, actions, hours=self.batch.hours)
        self._stored_kwh = result.flows.stored_kwh
        # After the last slot the state keeps that slot's features, with the stored energy at its
        # end.
        self._slot += 0 if done else 1
        reward = -result.costs.total + result.potential + result.shaping
        return self._state(), float(reward[0]), done, False, _describe(result)

    def _seat(self, episode: int) -> None:
        """Set site, limits and wear to those of an episode."""
        self._site: Site = self.batch.sites[int(self.batch.episodes.site[episode])]
        self._limits = SiteLimits.of(self._site)
        self._wear_price = np.array([[battery.wear_price] for battery in self._site.batteries])
        self._capacity_kwh: FloatArray = self._limits.batteries.capacity_kwh.sum(axis=0)

    @property
    def _soc(self) -> FloatArray:
        return np.asarray(self._stored_kwh.sum(axis=0) / self._capacity_kwh)

    @property
    def _place(self) -> IndexArray:
        return self.batch.episodes.first[[self._episode]] + self._slot

    def _state(self) -> StateArray:
        layout = self.rule.layout
        states = layout.build(self.batch.features, self._place, self._soc, self._capacity_kwh)
        return np.asarray(states[0])


def _describe(result: StepResult) -> dict[str, Any]:
    flows = result.flows
    costs = result.costs
    return {
        "cost": float(costs.total[0]),
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
        "mode": result.setpoint.mode[:, 0].tolist(),
        "intervened": bool(result.intervened[0]),
    }
