"""Scenarios: a camera at an instant, with a battery, a request, and the clean shares around it.

A stream of any length, batch by batch.

Batch ``k`` is made from seed and ``k`` alone: any process can make any batch, and memory depends on
a batch's size only.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np

from luna.energy.errors import InvalidInputError
from luna.energy.timeline import FloatArray
from services.edge.clean_share import (
    SEASON_OF_MONTH,
    STEP_MINUTES,
    YEAR_SLOTS,
    IntArray,
    instants_of,
    is_held_out,
    months_of,
)
from services.edge.config import Range, Season
from services.edge.lab import Lab
from services.edge.row_files import RowForm, RowWriter, encode_rows, keep_origin, read_last_row
from services.edge.workers import map_in_order

# Number that separates these draws from those of other stages with the same seed.
_STREAM = 1
# Columns are drawn with so many digits, so that the file has the values that were labelled.
_DIGITS = 4
# A batch's columns by name, of one length; arrays, which travel between processes more cheaply than
# lists.
Columns = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CameraScenarios:
    """Scenarios of a batch, arrays of shape ``(scenarios,)`` where nothing else is said.

    Args:
        number: from 0 on, over all batches.
        location, season: places in the configuration's lists.
        slot: of the year, five minutes each; the horizon begins with it, and lies whole in weeks
            that are not held out.
        battery_percent: how full the battery is.
        capacity_wh, charge_rate_w: of battery and charger.
        accuracy, latency_ms: the requirements (share, ms); some model fulfils it.
        clean_share: the newest value.
        ahead: what followed, shape ``(scenarios, slots)``.
        expected: the forecast at the time, means over the configuration's steps, shape
            ``(scenarios, steps)``.
    """

    number: IntArray
    location: IntArray
    season: IntArray
    slot: IntArray
    battery_percent: FloatArray
    capacity_wh: FloatArray
    charge_rate_w: FloatArray
    accuracy: FloatArray
    latency_ms: FloatArray
    clean_share: FloatArray
    ahead: FloatArray
    expected: FloatArray


def write_scenarios(lab: Lab) -> dict[str, Any]:
    """Write rows ``scenarios``, to be looked at.

    Return how many there are and how many were made now.

    Raises:
        InvalidInputError: the configuration allows no scenario.
        ConflictError: rows that were made differently are there.
        MachineError: the disk takes no more, or workers die; run again, it goes on.
    """
    check_scenarios(lab)
    new_scenarios = sum(
        len(columns["number"]) for columns in write_batches(lab, "scenarios", _make_columns)
    )
    return {
        "scenarios": lab.config.training_data.num_scenarios,
        "made_now": new_scenarios,
        "seed": lab.seed,
    }


def write_batches(lab: Lab, name: str, make: Callable[[Lab, int], Columns]) -> Iterator[Columns]:
    """Write rows of a name, batch by batch behind those that are there.

    Yield the columns of each batch when it is on the disk.

    Args:
        lab: its configuration says how many rows, and in what form.
        name: of the rows, in ``lab.training``.
        make: makes batch ``k``; a function of a module, called in several processes.

    Raises:
        ConflictError: rows that were made differently are there.
        MachineError: the disk takes no more, or workers die.
    """
    data = lab.config.training_data
    keep_origin(lab.training, name, _origin(lab))
    form = RowForm(
        data.output.format,
        data.output.max_file_size_mb if data.output.split_files else None,
        data.output.compression,
    )
    with RowWriter(lab.training, name, form) as writer:
        last = read_last_row(lab.training, name)
        written = int(last["number"]) + 1 if last else 0
        # Of the batch that a crash ended its first rows may be there.
        begins = [
            written,
            *range(
                (written // data.batch_size + 1) * data.batch_size,
                data.num_scenarios,
                data.batch_size,
            ),
        ]
        for names, lines, columns in map_in_order(
            partial(_make_lines, make), begins if written < data.num_scenarios else [], lab
        ):
            writer.append_lines(names, lines)
            writer.sync()
            written += len(columns["number"])
            lab.progress(written, data.num_scenarios, name)
            yield columns


def _make_lines(
    make: Callable[[Lab, int], Columns], lab: Lab, begin: int
) -> tuple[list[str], str, Columns]:
    """Return names and lines of a batch's rows from ``begin`` on.

    Beside them stand those columns that hold one number a row.
    """
    data = lab.config.training_data
    columns = {
        name: values[begin % data.batch_size :]
        for name, values in make(lab, begin // data.batch_size).items()
    }
    plain = [
        values.tolist() if isinstance(values, np.ndarray) else values for values in columns.values()
    ]
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*plain, strict=True)]
    return (
        list(columns),
        encode_rows(rows, data.output.format),
        {
            name: values
            for name, values in columns.items()
            if isinstance(values, np.ndarray) and values.ndim == 1
        },
    )


def _origin(lab: Lab) -> dict[str, Any]:
    """Return what decides the rows of scenarios and labels."""
    config = lab.config
    data = config.training_data.model_dump(mode="json")
    del data["optimization"]["parallel_workers"]
    return {
        "seed": lab.seed,
        "training_data": data,
        "variations": config.batch_simulation.variations.model_dump(mode="json"),
        "battery": config.simulation.battery.model_dump(mode="json"),
        "task_interval_seconds": config.simulation.task_interval_seconds,
        "locations": config.data_sources.locations,
        "seasons": config.data_sources.seasons,
        "measured": {location: share.measured for location, share in lab.clean_shares.items()},
        "models": dict(zip(lab.models.names, lab.models.energy_wh.tolist(), strict=True)),
    }


def check_scenarios(lab: Lab) -> None:
    """Make sure that every location and season has slots, and that some request can be fulfilled.

    Raises:
        InvalidInputError: it has not; names the key of the configuration.
    """
    for season in lab.config.data_sources.seasons:
        if not len(list_slots(season, _horizon_slots(lab))):
            raise InvalidInputError(
                "no horizon of this season lies between two weeks that are held out",
                field="data_sources.seasons",
                value=season,
                remedy="Shorten training_data.optimization.horizon_steps or step_minutes.",
            )
    _draw_requests(lab, np.random.default_rng(0), 1)


def draw_batch(lab: Lab, batch: int) -> CameraScenarios:
    """Return the scenarios of a batch, always the same.

    They depend on seed, configuration and data alone.

    Raises:
        InvalidInputError: the configuration allows none.
    """
    data = lab.config.training_data
    sources = lab.config.data_sources
    variations = lab.config.batch_simulation.variations
    first = batch * data.batch_size
    count = min(data.batch_size, data.num_scenarios - first)
    noise = np.random.default_rng(np.random.SeedSequence(lab.seed, spawn_key=(_STREAM, batch)))
    location = noise.integers(len(sources.locations), size=count)
    season = noise.integers(len(sources.seasons), size=count)
    place = noise.random(count)
    slot = np.empty(count, np.int64)
    for index, name in enumerate(sources.seasons):
        slots = list_slots(name, _horizon_slots(lab))
        slot[season == index] = slots[(place[season == index] * len(slots)).astype(np.int64)]
    accuracy, latency_ms = _draw_requests(lab, noise, count)
    clean_share, ahead, expected = _read_shares(lab, location, slot)
    return CameraScenarios(
        number=np.arange(first, first + count),
        location=location,
        season=season,
        slot=slot,
        battery_percent=_draw(noise, data.scenario_generation.battery_range, count),
        capacity_wh=_draw(noise, variations.battery_capacity_range, count),
        charge_rate_w=_draw(noise, variations.charge_rate_range, count),
        accuracy=accuracy,
        latency_ms=latency_ms,
        clean_share=clean_share,
        ahead=ahead,
        expected=expected,
    )


def make_columns(lab: Lab, drawn: CameraScenarios) -> Columns:
    """Return the rows' columns of scenarios, without the actual values."""
    sources = lab.config.data_sources
    locations = [sources.locations[place] for place in drawn.location]
    return {
        "number": drawn.number,
        "location": locations,
        "season": [sources.seasons[place] for place in drawn.season],
        "at": [f"{instant}Z" for instant in instants_of(drawn.slot)],
        "stand_in": [not lab.clean_shares[location].measured for location in locations],
        "battery_percent": drawn.battery_percent,
        "capacity_wh": drawn.capacity_wh,
        "charge_rate_w": drawn.charge_rate_w,
        "accuracy": drawn.accuracy,
        "latency_ms": drawn.latency_ms,
        "clean_share": drawn.clean_share,
        "expected": drawn.expected,
    }


def _make_columns(lab: Lab, batch: int) -> Columns:
    drawn = draw_batch(lab, batch)
    steps = lab.config.training_data.optimization.horizon_steps
    return make_columns(lab, drawn) | {
        "ahead": np.round(drawn.ahead.reshape(len(drawn.number), steps, -1).mean(axis=2), _DIGITS)
    }


@lru_cache(maxsize=16)
def list_slots(season: Season, horizon_slots: int) -> IntArray:
    """Return a season's slots whose horizon stays in the year and in training weeks.

    It touches no week that is held out.
    """
    slots = np.arange(YEAR_SLOTS)
    held_out = np.concatenate([[0], np.cumsum(is_held_out(slots))])
    begins = slots[: YEAR_SLOTS - horizon_slots + 1]
    free = held_out[begins + horizon_slots] == held_out[begins]
    return np.asarray(begins[free & np.isin(months_of(begins), SEASON_OF_MONTH[season])])


def _horizon_slots(lab: Lab) -> int:
    horizon = lab.config.training_data.optimization
    return horizon.horizon_steps * horizon.step_minutes // STEP_MINUTES


def _draw_requests(
    lab: Lab, noise: np.random.Generator, count: int
) -> tuple[FloatArray, FloatArray]:
    """Return accuracies and latencies that some model fulfils.

    They are distributed as if all others were drawn and thrown away.
    """
    generation = lab.config.training_data.scenario_generation
    options = np.array(generation.latency_options, float)
    span = generation.accuracy_range
    # The highest accuracy within each latency, -1 where no model is as quick.
    highest = np.minimum(
        np.asarray(
            np.where(lab.models.latency_ms <= options[:, None], lab.models.accuracy, -1.0).max(
                axis=1
            )
        ),
        span.max,
    )
    width = highest - span.min
    if not (width >= 0).any():
        raise InvalidInputError(
            "no model is as accurate and as quick as any of these",
            field="training_data.scenario_generation.accuracy_range, latency_options",
            value=(
                f"{span.min:g} to {span.max:g}, {', '.join(f'{option:g}' for option in options)} ms"
            ),
            remedy=(
                f"The models reach {lab.models.accuracy.max():g}, and the quickest takes "
                f"{lab.models.latency_ms.min():g} ms."
            ),
        )
    weight = np.where(width >= 0, width if (width > 0).any() else 1.0, 0.0)
    option = noise.choice(len(options), size=count, p=weight / weight.sum())
    accuracy = np.round(span.min + noise.random(count) * width[option], _DIGITS)
    return np.clip(accuracy, span.min, highest[option]), options[option]


def _draw(noise: np.random.Generator, span: Range, count: int) -> FloatArray:
    return np.clip(np.round(noise.uniform(span.min, span.max, count), _DIGITS), span.min, span.max)


def _read_shares(
    lab: Lab, location: IntArray, slot: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    horizon = lab.config.training_data.optimization
    steps = horizon.horizon_steps
    minutes = horizon.step_minutes
    newest = np.empty(len(slot))
    ahead = np.empty((len(slot), _horizon_slots(lab)))
    expected = np.empty((len(slot), steps))
    for index, name in enumerate(lab.config.data_sources.locations):
        there = location == index
        share = lab.clean_shares[name]
        newest[there] = share.newest(slot[there])
        ahead[there] = share.share[slot[there][:, None] + np.arange(ahead.shape[1])]
        expected[there] = np.round(share.expect(slot[there], steps, step_minutes=minutes), _DIGITS)
    return newest, ahead, expected
