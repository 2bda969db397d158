"""Samples as a file: the same come back, with what is needed to read them without Luna, and other versions are refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load

from luna.energy.errors import InvalidInputError
from luna.platform.database.episodes import EpisodeStep
from services.agent.environment.states import COMPACT, V1
from services.agent.imitation.dataset import COLUMNS, export_samples, import_samples, take_episodes
from services.agent.imitation.samples import ModeSamples, School
from services.agent.imitation.teachers import ask_oracle
from tests.learning import make_history


@pytest.fixture(scope="module")
def taught() -> School:
    history = make_history(3)
    return School(history, ask_oracle(history), COMPACT)


@pytest.fixture(scope="module")
def shown(taught: School) -> ModeSamples:
    return taught.follow_teacher(np.random.default_rng(0))


def test_exported_samples_come_back(taught: School, shown: ModeSamples) -> None:
    found = import_samples(export_samples(shown, taught), taught)

    for name in ModeSamples.__slots__:
        np.testing.assert_array_equal(getattr(found, name), getattr(shown, name))


def test_the_file_says_what_its_columns_are(taught: School, shown: ModeSamples) -> None:
    content = export_samples(shown, taught)
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])["__metadata__"]

    assert set(json.loads(header["columns"])) == set(load(content)) == set(COLUMNS)
    assert json.loads(header["features"]) == list(COMPACT.names)
    assert header["state_version"] == "compact"


def test_samples_of_another_state_version_are_refused(taught: School, shown: ModeSamples) -> None:
    with pytest.raises(InvalidInputError, match="another state_version than v1"):
        import_samples(export_samples(shown, taught), replace(taught, layout=V1))


def test_what_is_no_dataset_is_refused(taught: School) -> None:
    with pytest.raises(InvalidInputError, match="holds no samples"):
        import_samples(b"nothing of the kind", taught)


def test_samples_from_beyond_the_history_are_refused(taught: School, shown: ModeSamples) -> None:
    other = make_history(1)
    with pytest.raises(InvalidInputError, match="another time"):
        import_samples(export_samples(shown, taught), School(other, ask_oracle(other), COMPACT))


def test_recorded_episodes_become_samples_with_the_modes_that_were_told(taught: School) -> None:
    start = taught.history.scene.timeline.start
    name = taught.teacher.policy.battery.name
    soc = np.linspace(0.2, 0.8, 97).tolist()
    step = EpisodeStep("simulation", start, {"soc": {name: soc}}, {"mode": {name: ["hold"] * 48 + ["charge"] * 48}}, 0.0)
    found = take_episodes(taught, [step])

    assert found.slot.tolist() == list(range(96))
    assert found.mode.tolist() == [3] * 48 + [4] * 48
    np.testing.assert_allclose(found.stored_kwh, np.array(soc[:96]) * 8)
    stored = np.full(taught.teacher.weight.size, np.nan)
    stored[:96] = found.stored_kwh
    np.testing.assert_allclose(found.regret, taught.label(stored).regret)
