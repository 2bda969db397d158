"""Declare a kind of trained agent by its training and the loading of its policy."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from luna.contracts.agent import AGENT_POLICIES, AgentKind, version_of
from luna.energy.site import Site
from services.agent.artefacts import Artefact
from services.agent.policy import AgentPolicy
from services.agent.training_history import History
from services.forecaster.model.aurora import Progress, keep_quiet

# Returns another kind's artefact of the same site, to start a training from; None where there is
# none.
FindTeacher = Callable[[AgentKind], Artefact | None]


@dataclass(frozen=True, slots=True)
class Lesson:
    """The input of a training: a site's history, and nothing from after it.

    ``steps`` are those of reinforcement learning, ``teacher`` finds another kind's artefact that
    was trained on no more than this history.
    """

    history: History
    seed: int = 0
    steps: int = 2_000_000
    progress: Progress = keep_quiet
    teacher: FindTeacher = lambda _: None


@dataclass(frozen=True, slots=True)
class TrainedParts:
    """The parts, settings and metrics of a training.

    Parts are named, and hold LightGBM text, safetensors or JSON.
    """

    parts: Mapping[str, bytes]
    settings: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)


Train = Callable[[Lesson], TrainedParts]
Load = Callable[[Artefact, Site], AgentPolicy]


@dataclass(frozen=True, slots=True)
class KindDeclaration:
    """A kind of agent with its functions for training and loading."""

    kind: AgentKind
    state_version: str
    train: Train
    load: Load

    @property
    def policy(self) -> str:
        """Its name in replays, shadow plans and scores."""
        return next(name for name, kind in AGENT_POLICIES.items() if kind == self.kind)

    @property
    def version(self) -> str:
        """The version of its training runs."""
        return version_of(self.kind)
