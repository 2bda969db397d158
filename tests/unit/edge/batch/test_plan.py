"""Which runs a batch consists of."""

from pathlib import Path

import numpy as np
import pytest

from luna.energy.errors import InvalidInputError
from services.edge.batch.stage import BatchPlan
from services.edge.clean_share import is_held_out, months_of
from services.edge.simulation.group import CameraGroup, simulate_group
from tests.support.cameras.batches import UNTRAINED, configure, make_lab

ORIGINAL = {
    "data_sources": {
        "locations": ["CA", "FL", "NW", "NY"],
        "seasons": ["winter", "spring", "summer", "fall"],
    }
}


def make_plan(folder: Path, **sections: object) -> BatchPlan:
    return BatchPlan.of(make_lab(folder, configure(**(ORIGINAL | sections))))


def list_groups(plan: BatchPlan) -> list[tuple[int, ...]]:
    return list(plan.group_numbers(bytearray(plan.runs)))


def test_every_location_season_variation_and_controller_is_run_once(tmp_path: Path) -> None:
    plan = make_plan(tmp_path)
    # 4 locations × 4 seasons × 2 variations × 4 controllers; 32 of a controller in groups of 3.
    groups = list_groups(plan)
    assert plan.runs == 128
    assert sorted(number for group in groups for number in group) == list(range(128))
    assert max(map(len, groups)) == 3
    rows = [named for group in groups for named in plan.build_group(group).name_runs()]
    assert len({row["run_id"] for row in rows}) == 128
    assert [plan.number_of(row) for row in rows] == list(range(128))
    assert {row["controller"] for row in rows} == set(UNTRAINED)


def test_what_is_done_is_in_no_group(tmp_path: Path) -> None:
    plan = make_plan(tmp_path)
    done = bytearray(plan.runs)
    done[5] = done[127] = done[0] = 1
    assert [number for group in plan.group_numbers(done) for number in group] == [
        number for number in range(128) if number not in {0, 5, 127}
    ]


def test_runs_lie_in_held_out_weeks_of_their_season(tmp_path: Path) -> None:
    plan = make_plan(
        tmp_path, batch_simulation={"duration_days": 7, "variations": {"num_variations": 2}}
    )
    seasons = {"winter": {12, 1, 2}, "spring": {3, 4, 5}, "summer": {6, 7, 8}, "fall": {9, 10, 11}}
    for numbers in list_groups(plan):
        group = plan.build_group(numbers)
        for camera in group.cameras:
            slots = group.periods[camera.place].begin + np.arange(group.conditions.schedule.slots)
            assert is_held_out(slots).all()
            assert set(months_of(slots)) <= seasons[camera.season]


def test_cameras_are_drawn_by_seed_lie_within_their_ranges_and_ask_for_what_some_model_fulfils(
    tmp_path: Path,
) -> None:
    plan = make_plan(
        tmp_path,
        batch_simulation={
            "variations": {"num_variations": 150, "accuracy_range": {"min": 30, "max": 95}},
            "execution": {"checkpoint_interval": 150},
        },
    )
    cameras = plan.build_group(list_groups(plan)[0]).cameras
    asked = np.array(
        [
            (each.accuracy, each.latency_ms, each.capacity_wh, each.charge_rate_w)
            for each in cameras[:150]
        ]
    )
    assert (asked.min(axis=0) >= [0.3, 2, 2, 50]).all()
    assert (asked.max(axis=0) <= [0.95, 15, 15, 200]).all()
    assert plan.lab.models.fulfil(asked[:, 0], asked[:, 1]).any(axis=1).all()
    assert len({each.capacity_wh for each in cameras}) == len({each.variation for each in cameras})
    again = make_plan(tmp_path, batch_simulation={"variations": {"num_variations": 3}})
    assert (
        again.build_group([1]).cameras[0].capacity_wh != cameras[1].capacity_wh
        or again.build_group([1]).cameras[0].variation == 1
    )


def test_requests_that_no_model_fulfils_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="as accurate"):
        make_plan(
            tmp_path,
            batch_simulation={
                "variations": {
                    "accuracy_range": {"min": 80, "max": 90},
                    "latency_range": {"min": 1, "max": 2},
                }
            },
        )


def test_a_learned_controller_that_was_not_trained_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="luna edge train"):
        make_plan(tmp_path, simulation={"controllers": ["rule", "custom"]})


def test_a_group_gives_the_same_rows_after_a_journey_as_plain_values_and_however_it_is_cut(
    tmp_path: Path,
) -> None:
    plan = make_plan(tmp_path)
    rule = plan.build_group(range(64, 70))
    rows = simulate_group(rule.to_json())
    assert rows == rule.run()
    assert rows[2:4] == simulate_group(plan.build_group([66, 67]).to_json())
    assert CameraGroup.from_json(rule.to_json()).to_json() == rule.to_json()
