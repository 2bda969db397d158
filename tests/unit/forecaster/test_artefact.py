import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from luna.observations import Observations
from services.forecaster.artefact import ArtefactError, load_aurora, save_aurora
from services.forecaster.aurora import Aurora, train
from tests.household import QUICK, day, describe_site, measure_days

SITE = describe_site()


@pytest.fixture(scope="module")
def history() -> Observations:
    return measure_days(40)


@pytest.fixture(scope="module")
def aurora(history: Observations) -> Aurora:
    return train(history, site=SITE, until=day(38), settings=QUICK)


def test_a_stored_model_forecasts_what_the_trained_one_did(aurora: Aurora, history: Observations, tmp_path: Path) -> None:
    loaded = load_aurora(tmp_path, save_aurora(aurora, tmp_path), SITE)
    assert (loaded.stage, loaded.metrics) == (aurora.stage, aurora.metrics)
    np.testing.assert_array_equal(loaded.issue(history, day(38)).load_kwh.p90, aurora.issue(history, day(38)).load_kwh.p90)


def test_storing_the_same_model_twice_leaves_one_file(aurora: Aurora, tmp_path: Path) -> None:
    assert save_aurora(aurora, tmp_path) == save_aurora(aurora, tmp_path)
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_a_missing_model_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="luna forecast train"):
        load_aurora(tmp_path, "aurora/none.json.gz", SITE)


def test_a_damaged_model_is_refused(aurora: Aurora, tmp_path: Path) -> None:
    key = save_aurora(aurora, tmp_path)
    path = tmp_path / key
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ArtefactError, match="damaged"):
        load_aurora(tmp_path, key, SITE)


def test_a_model_of_another_format_is_refused(tmp_path: Path) -> None:
    import hashlib

    packed = gzip.compress(json.dumps({"format": 0}).encode())
    key = f"aurora/{hashlib.sha256(packed).hexdigest()}.json.gz"
    (tmp_path / "aurora").mkdir()
    (tmp_path / key).write_bytes(packed)
    with pytest.raises(ArtefactError, match="another format"):
        load_aurora(tmp_path, key, SITE)


def test_a_folder_that_cannot_be_written_is_named(aurora: Aurora, tmp_path: Path) -> None:
    (tmp_path / "aurora").write_text("a file where the folder should be")
    with pytest.raises(ArtefactError, match="cannot be written"):
        save_aurora(aurora, tmp_path)
