import gzip
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from luna.energy.errors import MachineError, UnavailableError
from luna.energy.observations import Observations
from luna.platform.objects import FileObjects
from services.forecaster.inputs.forecast_series import EVERY_SERIES
from services.forecaster.inputs.frame import Pairs, frame_series, number_slot
from services.forecaster.model.artefact import FORMAT, ArtefactError, load_aurora, save_aurora
from services.forecaster.model.aurora import Aurora
from tests.support.database.object_servers import answer_with, open_server, refusal
from tests.support.household.measurements import day, describe_site

SITE = describe_site()


@pytest.fixture
def objects(tmp_path: Path) -> FileObjects:
    return FileObjects(tmp_path)


def test_a_stored_model_forecasts_what_the_trained_one_did(
    aurora: Aurora, history: Observations, objects: FileObjects
) -> None:
    loaded = load_aurora(objects, save_aurora(aurora, objects), SITE)
    assert (loaded.stage, loaded.metrics) == (aurora.stage, aurora.metrics)
    np.testing.assert_array_equal(
        loaded.issue(history, day(66)).load_kwh.p90, aurora.issue(history, day(66)).load_kwh.p90
    )


def test_storing_the_same_model_twice_leaves_one_file(aurora: Aurora, objects: FileObjects) -> None:
    assert save_aurora(aurora, objects) == save_aurora(aurora, objects)
    assert len([path for path in objects.folder.rglob("*") if path.is_file()]) == 1


def test_a_missing_model_says_how_to_get_one(objects: FileObjects) -> None:
    with pytest.raises(ArtefactError, match="luna forecast train"):
        load_aurora(objects, "aurora/none.json.gz", SITE)


def test_a_damaged_model_is_refused(aurora: Aurora, objects: FileObjects) -> None:
    key = save_aurora(aurora, objects)
    objects.put(key, objects.get(key)[:-100])
    with pytest.raises(ArtefactError, match="damaged"):
        load_aurora(objects, key, SITE)


def test_a_model_of_another_format_is_refused(objects: FileObjects) -> None:
    packed = gzip.compress(json.dumps({"format": 0}).encode())
    key = f"aurora/{hashlib.sha256(packed).hexdigest()}.json.gz"
    objects.put(key, packed)
    with pytest.raises(ArtefactError, match="another format"):
        load_aurora(objects, key, SITE)


def test_features_and_members_belong_to_the_format(history: Observations) -> None:
    """Whoever changes a feature, a member or their order raises ``FORMAT``, so that no stored model
    reads the wrong columns; then this line follows.
    """
    frame = frame_series(history, SITE, first=number_slot(day(0)), last=number_slot(day(40)))
    pairs = Pairs(np.array([3000]), np.array([3010]))
    views = [series.view(frame, pairs) for series in EVERY_SERIES]
    columns = [
        [
            *view.names,
            *((part, name) for part, members in sorted(view.members.items()) for name in members),
        ]
        for view in views
    ]
    assert (FORMAT, hashlib.sha256(json.dumps(columns).encode()).hexdigest()[:12]) == (
        3,
        "2c998ea6589a",
    )


def test_a_store_that_cannot_be_written_is_named(aurora: Aurora, objects: FileObjects) -> None:
    objects.put("aurora", b"a file where the folder should be")
    with pytest.raises(MachineError, match="cannot be kept"):
        save_aurora(aurora, objects)


def test_a_model_in_a_store_that_refuses_luna_cannot_be_used() -> None:
    with (
        answer_with(403, refusal("SignatureDoesNotMatch")) as url,
        pytest.raises(ArtefactError, match="another password"),
    ):
        load_aurora(open_server(url), "aurora/none.json.gz", SITE)


def test_a_store_that_is_away_is_told_from_a_model_that_is_missing() -> None:
    with answer_with(503) as url, pytest.raises(UnavailableError, match="503"):
        load_aurora(open_server(url), "aurora/none.json.gz", SITE)
