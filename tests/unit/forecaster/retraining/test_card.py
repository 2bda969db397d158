"""A model's card says where it comes from, how good it was, and what it is not for."""

from pathlib import Path

import pytest

from luna.energy.errors import NotFoundError
from luna.platform.database.training_runs import TrainingRun
from luna.platform.objects import FileObjects
from services.forecaster.model.card import save_card
from services.forecaster.retraining.card import Card, read_card
from tests.support.household.measurements import day

METRICS = {
    "known_days": 30.0,
    "weather_share": 0.0,
    "load.mae_kwh": 0.0321,
    "trial.load.seasonal_naive.pinball": 0.05,
    "trial.load.new.coverage_80": 0.81,
}


def describe(**changes: object) -> Card:
    run = {
        "run_id": "aurora_v1.0.home.1",
        "version": "aurora_v1.0",
        "data_from": day(0),
        "data_until": day(30),
        "code_version": "0.1.0",
        "seed": 7,
        "train_seconds": 2.5,
        "metrics": METRICS,
        "artefact_key": "aurora/abc.json.gz",
        "trigger": "drift",
        "verdict": "pinball loss in the trial is 97.0% of that of the model in use",
    }
    named = TrainingRun(**(run | changes))  # type: ignore[arg-type]
    return Card(
        named,
        "home",
        "young",
        {"clean": 27, "exclude": 2, "unjudged": 1},
        {"load": ["lead", "mean"]},
    )


def test_the_card_tells_window_quality_seed_trigger_figures_and_features() -> None:
    text = describe().text()
    for said in (
        "2024-03-01 00:00 UTC to 2024-03-31 00:00 UTC",
        "27 clean, 2 exclude, 1 unjudged",
        "Seed 7, code 0.1.0",
        "drift; in use: pinball loss",
    ):
        assert said in text
    assert "| load.mae_kwh | 0.0321 |" in text
    assert "| trial.load.seasonal_naive.pinball | 0.05 |" in text
    assert "- load: lead, mean" in text


def test_limits_follow_from_what_was_learned() -> None:
    assert "seasons are not" in describe().text()
    assert "No weather was known" in describe().text()
    assert "did worse" not in describe().text()
    assert "did worse than the model in use" in describe(accepted=False).text()
    assert "No weather was known" not in describe(metrics=METRICS | {"weather_share": 1.0}).text()


def test_the_card_lies_beside_the_model_for_people_and_programs(tmp_path: Path) -> None:
    objects = FileObjects(tmp_path)
    card = describe()
    save_card(card, objects)
    text, facts = read_card(card.run, objects)
    assert text == card.text()
    assert facts == card.facts()
    assert facts["data_until"] == "2024-03-31T00:00:00+00:00"
    assert objects.get("aurora/abc.card.md").decode() == text


def test_a_training_without_a_card_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="luna forecast train"):
        read_card(describe().run, FileObjects(tmp_path))
