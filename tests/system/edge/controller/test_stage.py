"""Training from labelled scenarios to a version that is asked without PyTorch.

Also after a kill, and where something else is stored.
"""

import json
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from luna.energy.errors import InvalidInputError
from services.edge.config import ControllerSection, SearchSection
from services.edge.controller.examples import TrainingExamples, read_examples, split_by_week
from services.edge.controller.stage import train_controllers
from services.edge.controller.version_store import (
    list_versions,
    load_controller,
    read_card,
    use_version,
)
from services.edge.lab import Lab
from tests.support.cameras.labels import HORIZON, MODELS, draw_labelled, open_labelled_lab
from tests.support.suite.depth import LONG

# Trains in a process of its own, which is killed.
_TRAIN = """
import json
import sys
from pathlib import Path
from typing import Any
from services.edge.controller.stage import train_controllers
from tests.support.cameras.labels import open_labelled_lab
train_controllers(open_labelled_lab(Path(sys.argv[1]), settings=json.loads(sys.argv[2])))
"""
_EPOCHS, _CHECKPOINT_EPOCHS = (60, 7) if LONG else (20, 3)
# Killed between two checkpoints, with most of the epochs to come.
_KILLED_AFTER = _CHECKPOINT_EPOCHS + 2
_MANY_EPOCHS = {
    "training": {
        "epochs": _EPOCHS,
        "early_stopping_patience": _EPOCHS,
        "checkpoint_interval": _CHECKPOINT_EPOCHS,
    }
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    lab = open_labelled_lab(tmp_path_factory.mktemp("lab"))
    train_controllers(lab)
    return lab


def judging(lab: Lab) -> TrainingExamples:
    examples, _ = read_examples(lab.training, MODELS, horizon_steps=HORIZON)
    return examples.take(
        split_by_week(examples.slot, horizon_minutes=30 * HORIZON, share=0.2, seed=lab.seed)[1]
    )


def test_learns_better_than_any_threshold_and_more_from_what_is_expected(trained: Lab) -> None:
    card = read_card(trained.controller)
    assert card.data.stand_in
    best = min(rule["charge_regret_wh"] for rule in card.baselines.values())
    assert card.networks["network-1"]["charge_regret_wh"] < 0.5 * best
    assert (
        card.networks["network-1"]["charge_regret_wh"]
        < card.networks["network-4-inputs"]["charge_regret_wh"]
    )
    assert card.networks["network-1"]["model_accuracy"] > 0.99


@pytest.mark.parametrize(
    ("name", "networks", "steps"), [("custom", 1, 2), ("ensemble", 2, 2), ("custom_4", 1, 0)]
)
def test_is_asked_with_the_same_answer_whatever_is_asked_beside(
    trained: Lab, name: str, networks: int, steps: int
) -> None:
    controller = load_controller(trained.controller, name, models=MODELS)
    sight = judging(trained).sight
    fulfilled = MODELS.fulfil(sight.accuracy, sight.latency_ms)
    together = controller.probabilities(sight, fulfilled)
    for width in (1, 7):
        rows = [slice(begin, begin + width) for begin in range(0, 70, width)]
        apart = [
            controller.probabilities(
                type(sight)(
                    *(
                        each[part]
                        for each in (
                            sight.soc,
                            sight.accuracy,
                            sight.latency_ms,
                            sight.clean_share,
                            sight.expected,
                        )
                    )
                ),
                mask,
            )
            for part, mask in ((part, fulfilled[part]) for part in rows)
        ]
        assert np.concatenate(apart).tobytes() == together[:70].tobytes()
    assert controller.needs_expected == steps
    assert len(controller.numbers) == networks


def test_chooses_among_what_fulfils_and_as_the_figures_say(trained: Lab) -> None:
    rows = judging(trained)
    sight = rows.sight
    fulfilled = MODELS.fulfil(sight.accuracy, sight.latency_ms)
    model, charge = load_controller(trained.controller, models=MODELS).decide(
        sight.soc, sight.accuracy, sight.latency_ms, sight.clean_share, sight.expected, fulfilled
    )
    assert fulfilled[np.arange(rows.count), model].all()
    assert (charge == rows.charge).mean() == pytest.approx(
        read_card(trained.controller).networks["network-1"]["charge_accuracy"]
    )


def test_where_no_model_fulfils_all_are_eligible(trained: Lab) -> None:
    one = np.array([0.5])
    none = np.zeros((1, 3), bool)
    model, _ = load_controller(trained.controller, "custom_4", models=MODELS).decide(
        one, np.array([0.99]), np.array([1.0]), one, np.zeros((1, 0)), none
    )
    assert model[0] in range(3)


def test_what_was_trained_is_not_trained_again_and_other_settings_are_a_version(
    trained: Lab,
) -> None:
    other = replace(trained, seed=trained.seed + 1)
    assert train_controllers(trained)["version"] == "v0001"
    assert train_controllers(other)["version"] == "v0002"
    use_version(trained.controller, "v0001")
    assert list_versions(trained.controller) == ["v0001", "v0002"]
    assert read_card(trained.controller).seed == trained.seed
    with pytest.raises(InvalidInputError, match="v0001, v0002"):
        use_version(trained.controller, "v0009")


def test_other_camera_models_and_other_inputs_are_refused(trained: Lab, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="other camera models"):
        load_controller(trained.controller, models=replace(MODELS, energy_wh=MODELS.energy_wh * 2))
    shutil.copytree(trained.controller, tmp_path / "controller")
    card = json.loads((tmp_path / "controller/v0001/card.json").read_text())
    card["controllers"]["custom"]["form"]["version"] = 99
    (tmp_path / "controller/v0001/card.json").write_text(json.dumps(card))
    with pytest.raises(InvalidInputError, match="form 99"):
        load_controller(tmp_path / "controller", models=MODELS)
    with pytest.raises(InvalidInputError, match="custom, ensemble, custom_4"):
        load_controller(tmp_path / "controller", "antares", models=MODELS)
    (tmp_path / "controller/v0001/network-2.safetensors").write_bytes(b"no tensors")
    with pytest.raises(InvalidInputError, match=r"network-2.*cannot be read"):
        load_controller(tmp_path / "controller", "ensemble", models=MODELS)


def test_a_killed_training_goes_on_to_the_very_same_networks(tmp_path: Path) -> None:
    whole = open_labelled_lab(tmp_path / "whole", settings=_MANY_EPOCHS)
    train_controllers(whole)
    broken = tmp_path / "broken"
    with subprocess.Popen(
        [sys.executable, "-c", _TRAIN, str(broken), json.dumps(_MANY_EPOCHS)]
    ) as process:
        while not any(
            len(path.read_text().splitlines()) > _KILLED_AFTER
            for path in broken.glob("controller/unfinished-*/network-1/metrics.jsonl")
        ):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    lab = replace(whole, out=broken)
    assert not list_versions(lab.controller)
    train_controllers(lab)
    files = sorted(
        path.relative_to(whole.controller) for path in whole.controller.rglob("*") if path.is_file()
    )
    assert files == sorted(
        path.relative_to(lab.controller) for path in lab.controller.rglob("*") if path.is_file()
    )
    assert [
        name
        for name in files
        if (whole.controller / name).read_bytes() != (lab.controller / name).read_bytes()
    ] == []


def test_a_search_stores_what_it_found_and_goes_on_where_it_was_broken_off(tmp_path: Path) -> None:
    from services.edge.controller.features import InputForm
    from services.edge.controller.training import NetworkJob, search_settings

    lab = open_labelled_lab(tmp_path, rows=600)
    examples, _ = read_examples(lab.training, MODELS, horizon_steps=HORIZON)
    examples.save(tmp_path / "examples.safetensors")

    def search(folder: str, trials: int) -> tuple[ControllerSection, list[dict[str, Any]]]:
        settings = lab.config.controller_training.model_copy(
            update={"search": SearchSection(trials=trials, epochs=2)}
        )
        job = NetworkJob(
            "n",
            tmp_path / folder,
            tmp_path / "examples.safetensors",
            tmp_path / "examples.safetensors",
            InputForm(2, 30),
            settings,
            3,
            (1.0, 2.0, 4.0),
        )
        return search_settings(job)

    search("broken", 2)
    settings, told = search("whole", 4)
    _, again = search("broken", 4)
    best = min(told, key=lambda trial: trial["regret_wh"])
    assert told == again
    assert settings.training.learning_rate == best["learning_rate"]
    assert settings.training.epochs == lab.config.controller_training.training.epochs


def test_with_four_inputs_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    model = {"num_models": 3, "input_features": 4, "ensemble_size": 1}
    lab = open_labelled_lab(
        tmp_path, rows=400, settings={"model": model, "search": {"trials": 1, "epochs": 1}}
    )
    figures = train_controllers(lab)
    assert figures["controllers"] == {
        name: {"inputs": 4, "networks": ["network-1"]} for name in ("custom", "ensemble")
    }
    assert (
        read_card(lab.controller).settings.training.learning_rate
        == figures["search"][0]["learning_rate"]
    )


@pytest.mark.parametrize(
    ("model", "where"),
    [
        ({"num_models": 6, "input_features": 6}, "num_models"),
        ({"num_models": 3, "input_features": 12}, "input_features"),
    ],
    ids=["models", "steps"],
)
def test_a_network_that_fits_neither_models_nor_labels_is_refused(
    tmp_path: Path, model: dict[str, int], where: str
) -> None:
    with pytest.raises(InvalidInputError, match=where):
        train_controllers(open_labelled_lab(tmp_path, rows=10, settings={"model": model}))


def test_no_row_that_judges_has_a_neighbour_that_was_learned_from() -> None:
    slots = np.random.default_rng(1).integers(50_000, size=4000)
    learned, judges = split_by_week(slots, horizon_minutes=24 * 60, share=0.2, seed=1)
    # A week is 2016 slots, a horizon 288.
    learned_weeks, judging_weeks = (
        {*slots[rows] // 2016, *(slots[rows] + 287) // 2016} for rows in (learned, judges)
    )
    assert not learned_weeks & judging_weeks
    assert len(judges) > 300


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"expected": [0.5]}, "1 expected steps where 4"),
        ({"clean_share": "clean"}, "rows 0 to 9"),
        ({"model": 7}, "out of its range"),
    ],
    ids=["steps", "number", "model"],
)
def test_rows_that_cannot_be_used_are_named(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    from services.edge.row_files import RowForm, RowWriter

    with RowWriter(tmp_path, "training", RowForm()) as writer:
        writer.append([row | change for row in draw_labelled(np.random.default_rng(1), 10)])
    with pytest.raises(InvalidInputError, match=message):
        read_examples(tmp_path, MODELS, horizon_steps=HORIZON)
