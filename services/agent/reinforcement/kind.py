"""The kind that learns by reinforcement; it begins with what a clone, or else a network that imitates, has learned at the same site."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from luna.energy.errors import InvalidInputError
from luna.energy.physics.mode import Mode
from luna.energy.site import Site
from services.agent.artefacts import Artefact
from services.agent.environment.states import V1_1, find_layout
from services.agent.learned_modes import LearnedModes
from services.agent.network import SmallNetwork
from services.agent.registry import Lesson, TrainedParts, agent_kind
from services.agent.reinforcement.training import TrainingCourse, TrainingRule, describe_training, train_network

LAYOUT = V1_1
_HEADER, _TENSORS = "network.json", "network.safetensors"


def load_rl(artefact: Artefact, site: Site) -> LearnedModes:
    """Return the policy of a stored network.

    Raises:
        NetworkError: its layers do not fit on each other.
        InvalidInputError: it reads states of a version that is not known, or other than that version's, or scores other than all modes.
    """
    del site
    tensors, header = _unpack(artefact)
    network, layout = SmallNetwork.read(tensors, header), find_layout(str(header.get("state_version")))
    if (network.inputs, network.outputs) != (layout.size, len(Mode)):
        value = f"{network.inputs} → {network.outputs}"
        raise InvalidInputError(f"the network does not read states {layout.version}", field="state_version", value=value, remedy="Train again.")
    return LearnedModes(layout, network.scores)


@agent_kind("rl", state_version=LAYOUT.version, load=load_rl)
def train_rl(lesson: Lesson) -> TrainedParts:
    """Train a policy by reinforcement, on homes such as the site could be and on the site itself."""
    from safetensors.numpy import save

    rule, history = TrainingRule(layout=LAYOUT), lesson.history
    start, begun_with = find_start(lesson)
    course = TrainingCourse(lesson.steps, lesson.seed, start, progress=lesson.progress)
    trained = train_network(history.scene, course, rule=rule, verdicts=history.verdicts)
    header = trained.network.header | {"state_version": LAYOUT.version}
    settings = asdict(rule) | {"layout": LAYOUT.version, "stage": trained.stage, "begun_with": begun_with}
    return TrainedParts({_HEADER: json.dumps(header).encode(), _TENSORS: save(trained.network.tensors)}, settings, describe_training(trained, course, rule))


def find_start(lesson: Lesson) -> tuple[SmallNetwork | None, str | None]:
    """Return a network that another kind has learned at the site, and that kind; None where there is none. It scores all modes in order, as this kind does."""
    for kind in ("clone", "network"):
        artefact = lesson.teacher(kind)
        if artefact is not None and artefact.header.state_version == LAYOUT.version:
            return SmallNetwork.read(*_unpack(artefact)), kind
    return None, None


def _unpack(artefact: Artefact) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    from safetensors.numpy import load

    return load(artefact.parts[_TENSORS]), json.loads(artefact.text(_HEADER))
