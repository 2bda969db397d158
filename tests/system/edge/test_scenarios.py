"""Scenarios: any batch from its number alone, realistic in time, never impossible, and written so
that a crash loses and doubles none.
"""

from dataclasses import fields

import numpy as np
import pytest

from luna.energy.errors import ConflictError, InvalidInputError
from services.edge.clean_share import (
    SEASON_OF_MONTH,
    STEP_MINUTES,
    YEAR_SLOTS,
    is_held_out,
    months_of,
)
from services.edge.row_files import list_parts, read_rows
from services.edge.scenarios import draw_batch, write_scenarios
from tests.unit.edge.conftest import MakeLab


def test_a_batch_is_made_from_seed_and_number_alone(make_lab: MakeLab) -> None:
    lab = make_lab(training_data={"num_scenarios": 300, "batch_size": 100})
    again = draw_batch(lab, 2)
    other = draw_batch(make_lab(seed=2, training_data={"num_scenarios": 300, "batch_size": 100}), 2)
    drawn = draw_batch(lab, 2)
    assert all(
        np.array_equal(getattr(drawn, field.name), getattr(again, field.name))
        for field in fields(drawn)
    )
    assert drawn.number.tolist() == list(range(200, 300))
    assert not np.array_equal(drawn.slot, other.slot)
    assert not np.array_equal(drawn.slot, draw_batch(lab, 1).slot)


def test_the_last_batch_holds_what_is_left(make_lab: MakeLab) -> None:
    assert draw_batch(
        make_lab(training_data={"num_scenarios": 250, "batch_size": 100}), 2
    ).number.tolist() == list(range(200, 250))


@pytest.mark.parametrize(("steps", "minutes"), [(48, 30), (48, 5), (288, 60)])
def test_horizons_lie_in_their_season_and_in_no_week_that_is_held_out(
    make_lab: MakeLab, steps: int, minutes: int
) -> None:
    lab = make_lab(
        training_data={
            "num_scenarios": 2000,
            "batch_size": 2000,
            "optimization": {"horizon_steps": steps, "step_minutes": minutes},
        }
    )
    drawn = draw_batch(lab, 0)
    slots = drawn.slot[:, None] + np.arange(0, steps * minutes // STEP_MINUTES)
    assert slots.max() < YEAR_SLOTS
    assert not is_held_out(slots).any()
    for index, season in enumerate(lab.config.data_sources.seasons):
        assert set(months_of(drawn.slot[drawn.season == index])) == set(SEASON_OF_MONTH[season])


def test_what_is_known_and_what_followed_is_the_locations_own(make_lab: MakeLab) -> None:
    lab = make_lab(
        training_data={
            "num_scenarios": 40,
            "batch_size": 40,
            "optimization": {"horizon_steps": 6, "step_minutes": 10},
        }
    )
    drawn = draw_batch(lab, 0)
    for place, (location, slot) in enumerate(zip(drawn.location, drawn.slot, strict=True)):
        share = lab.clean_shares[lab.config.data_sources.locations[location]].share
        assert drawn.clean_share[place] == share[slot]
        assert np.array_equal(drawn.ahead[place], share[slot : slot + 12])


def test_every_request_can_be_fulfilled_and_lies_in_its_range(make_lab: MakeLab) -> None:
    lab = make_lab(training_data={"num_scenarios": 5000, "batch_size": 5000})
    drawn = draw_batch(lab, 0)
    asked = lab.config.training_data.scenario_generation
    cameras = lab.config.batch_simulation.variations
    assert lab.models.fulfil(drawn.accuracy, drawn.latency_ms).any(axis=1).all()
    # No model takes 1 ms only; all other options are possible.
    assert set(drawn.latency_ms) == set(asked.latency_options) - {1}
    for values, span in (
        (drawn.battery_percent, asked.battery_range),
        (drawn.accuracy, asked.accuracy_range),
        (drawn.capacity_wh, cameras.battery_capacity_range),
        (drawn.charge_rate_w, cameras.charge_rate_range),
    ):
        assert span.min <= values.min() <= values.max() <= span.max
    # Accuracies as if impossible pairs had been thrown away: up to what the latency allows, all
    # alike.
    quick = drawn.accuracy[drawn.latency_ms == 2]
    assert quick.max() <= 0.693
    assert quick.mean() == pytest.approx((0.3 + 0.693) / 2, abs=0.02)


def test_one_exact_request_is_drawn_as_it_is(make_lab: MakeLab) -> None:
    lab = make_lab(
        training_data={
            "scenario_generation": {
                "accuracy_range": {"min": 0.954, "max": 0.954},
                "latency_options": [1, 30],
            }
        }
    )
    drawn = draw_batch(lab, 0)
    assert set(drawn.accuracy) == {0.954}
    assert set(drawn.latency_ms) == {30}


def test_a_request_that_no_model_fulfils_is_refused(make_lab: MakeLab) -> None:
    lab = make_lab(
        training_data={
            "scenario_generation": {
                "accuracy_range": {"min": 0.7, "max": 1},
                "latency_options": [1, 2],
            }
        }
    )
    with pytest.raises(InvalidInputError, match="as accurate") as refused:
        write_scenarios(lab)
    assert "latency_options" in str(refused.value.problem())
    assert not lab.training.exists()


@pytest.mark.parametrize(
    "output",
    [
        {},
        {"format": "csv", "max_file_size_mb": 0.03},
        {"compression": True, "max_file_size_mb": 0.03},
    ],
    ids=str,
)
def test_rows_go_on_where_a_crash_ended_them_and_only_there(
    make_lab: MakeLab, output: dict[str, object]
) -> None:
    data = {"num_scenarios": 130, "batch_size": 50, "output": output}
    lab = make_lab(training_data=data)
    write_scenarios(lab)
    rows = list(read_rows(lab.training, "scenarios"))
    last = list_parts(lab.training, "scenarios")[-1]
    whole = last.read_bytes()
    # Of the last file all is lost but its first seven lines and a half.
    last.write_bytes(b"".join(whole.splitlines(keepends=True)[:7]) + whole.splitlines()[7][:20])
    assert write_scenarios(lab)["made_now"] > 0
    assert list(read_rows(lab.training, "scenarios")) == rows
    assert last.read_bytes() == whole
    assert [int(row["number"]) for row in rows] == list(range(130))
    assert write_scenarios(lab)["made_now"] == 0


def test_rows_of_another_configuration_are_kept_apart(make_lab: MakeLab) -> None:
    lab = make_lab(training_data={"num_scenarios": 20})
    write_scenarios(lab)
    with pytest.raises(ConflictError, match="made differently"):
        write_scenarios(make_lab(training_data={"num_scenarios": 30}))
    assert len(list(read_rows(lab.training, "scenarios"))) == 20
