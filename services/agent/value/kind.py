"""The kind ``value``, Antares v1: what its training hands back, and how an artefact becomes its policy."""

import json
from typing import Any

from luna.energy.site import Site
from services.agent.artefacts import Artefact
from services.agent.registry import Lesson, TrainedParts, agent_kind
from services.agent.value.correction import FEATURES, STRENGTH, ValueCorrection
from services.agent.value.policy import ValuePolicy
from services.agent.value.training import learn_correction

# Raised whenever what a correction reads changes.
STATE_VERSION = "value_v1"
SETTINGS, CORRECTION = "settings.json", "correction.txt"


def load_value(artefact: Artefact, site: Site) -> ValuePolicy:
    """Return the policy of an artefact."""
    del site
    settings: dict[str, Any] = json.loads(artefact.text(SETTINGS))
    correction = ValueCorrection(artefact.text(CORRECTION), float(settings["strength"])) if CORRECTION in artefact.parts else None
    return ValuePolicy(bool(settings["foresees_prices"]), correction)


@agent_kind("value", state_version=STATE_VERSION, load=load_value)
def train_value(lesson: Lesson) -> TrainedParts:
    """Learn how far the mean over courses is off, and keep that only where it surely pays; courses and prices need no training."""
    policy = ValuePolicy()
    correction, metrics = learn_correction(lesson.history, policy, seed=lesson.seed, progress=lesson.progress)
    settings = {"foresees_prices": policy.foresees_prices, "strength": STRENGTH, "features": list(FEATURES)}
    parts = {SETTINGS: json.dumps(settings).encode()} | ({} if correction is None else {CORRECTION: correction.text.encode()})
    return TrainedParts(parts, settings, metrics)
