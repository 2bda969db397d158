"""Draw scenarios: a camera at an instant, with a battery, a request and the clean shares around it.

Scenarios come batch by batch. Batch ``k`` depends on the seed and ``k`` alone: any process can make
any batch, and memory depends on the size of a batch only.
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

# Separates these draws from those of other stages with the same seed.
_STREAM = 1
# Drawn values are rounded to so many digits, so that rows hold exactly the labelled values.
_DIGITS = 4
# A batch's columns by name, of one length. Arrays travel between processes more cheaply than lists.
Columns = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CameraScenarios:
    """Scenarios of a batch as arrays of shape ``(scenarios,)`` unless stated otherwise.

    Args:
        number: from 0 on, over all batches.
        location, season: places in the configuration's lists.
        slot: five-minute slot of the year at which the horizon begins; the horizon touches no
            held-out week.
        battery_percent: how full the battery is.
        capacity_wh, charge_rate_w: of battery and charger.
        accuracy, latency_ms: the requirements (share, ms); at least one model fulfils them.
        clean_share: the newest value.
        ahead: actual values over the horizon, shape ``(scenarios, slots)``.
        expected: forecast means of the configured steps, shape ``(scenarios, steps)``.
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
    """Write rows ``scenarios`` for inspection and return their number and the newly made ones.

    Raises:
        InvalidInputError: the configuration allows no scenario.
        ConflictError: rows made with other inputs exist.
        MachineError: the disk is full, or workers die; the next run continues.
    """
    check_scenarios(lab)
    new_scenarios = 0
    for columns in write_batches(lab, "scenarios", _make_columns):
        new_scenarios += len(columns["number"])
    return {
        "scenarios": lab.config.training_data.num_scenarios,
        "made_now": new_scenarios,
        "seed": lab.seed,
    }


def write_batches(lab: Lab, name: str, make: Callable[[Lab, int], Columns]) -> Iterator[Columns]:
    """Append the missing batches of rows and yield each batch's columns once it is on the disk.

    Args:
        lab: its configuration sets the number of rows and their format.
        name: of the rows, in ``lab.training``.
        make: makes batch ``k``; a function of a module, called in several processes.

    Raises:
        ConflictError: rows made with other inputs exist.
        MachineError: the disk is full, or workers die.
    """
    data = lab.config.training_data
    keep_origin(lab.training, name, _origin(lab))
    max_mb = data.output.max_file_size_mb if data.output.split_files else None
    form = RowForm(data.output.format, max_mb, data.output.compression)
    with RowWriter(lab.training, name, form) as writer:
        last = read_last_row(lab.training, name)
        written = int(last["number"]) + 1 if last else 0
        begins = _list_batch_begins(written, data.num_scenarios, data.batch_size)
        batches = map_in_order(partial(_make_lines, make), begins, lab)
        for names, lines, columns in batches:
            writer.append_lines(names, lines)
            writer.sync()
            written += len(columns["number"])
            lab.progress(written, data.num_scenarios, name)
            yield columns


def _list_batch_begins(written: int, wanted: int, batch_size: int) -> list[int]:
    if written >= wanted:
        return []
    # A crash may have left the first rows of a batch: the rest of it comes first.
    next_batch = (written // batch_size + 1) * batch_size
    return [written, *range(next_batch, wanted, batch_size)]


def _make_lines(
    make: Callable[[Lab, int], Columns], lab: Lab, begin: int
) -> tuple[list[str], str, Columns]:
    """Return names, lines and number columns of a batch's rows from number ``begin`` on."""
    data = lab.config.training_data
    batch, first = divmod(begin, data.batch_size)
    names = []
    lists = []
    number_columns = {}
    for name, all_values in make(lab, batch).items():
        values = all_values[first:]
        names.append(name)
        if isinstance(values, np.ndarray):
            lists.append(values.tolist())
            if values.ndim == 1:
                number_columns[name] = values
        else:
            lists.append(values)
    rows = [dict(zip(names, values, strict=True)) for values in zip(*lists, strict=True)]
    return names, encode_rows(rows, data.output.format), number_columns


def _origin(lab: Lab) -> dict[str, Any]:
    """Return all inputs of the rows of scenarios and labels."""
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
    """Check that every season has slots and that some request can be fulfilled.

    Raises:
        InvalidInputError: one of them fails; names the key of the configuration.
    """
    for season in lab.config.data_sources.seasons:
        if list_slots(season, _horizon_slots(lab)).size == 0:
            raise InvalidInputError(
                "no horizon of this season lies between two weeks that are held out",
                field="data_sources.seasons",
                value=season,
                remedy="Shorten training_data.optimization.horizon_steps or step_minutes.",
            )
    _draw_requests(lab, np.random.default_rng(0), 1)


def draw_batch(lab: Lab, batch: int) -> CameraScenarios:
    """Return the scenarios of a batch.

    The same seed, configuration and data give the same scenarios in every process.

    Raises:
        InvalidInputError: the configuration allows no scenario.
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
        in_season = season == index
        chosen = (place[in_season] * len(slots)).astype(np.int64)
        slot[in_season] = slots[chosen]
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
    step_means = drawn.ahead.reshape(len(drawn.number), steps, -1).mean(axis=2)
    return make_columns(lab, drawn) | {"ahead": np.round(step_means, _DIGITS)}


@lru_cache(maxsize=16)
def list_slots(season: Season, horizon_slots: int) -> IntArray:
    """Return a season's slots at which a horizon can begin.

    The horizon ends within the year and touches no held-out week.
    """
    slots = np.arange(YEAR_SLOTS)
    held_out_before = np.concatenate([[0], np.cumsum(is_held_out(slots))])
    begins = slots[: YEAR_SLOTS - horizon_slots + 1]
    is_free = held_out_before[begins + horizon_slots] == held_out_before[begins]
    is_in_season = np.isin(months_of(begins), SEASON_OF_MONTH[season])
    return np.asarray(begins[is_free & is_in_season])


def _horizon_slots(lab: Lab) -> int:
    horizon = lab.config.training_data.optimization
    return horizon.horizon_steps * horizon.step_minutes // STEP_MINUTES


def _draw_requests(
    lab: Lab, noise: np.random.Generator, count: int
) -> tuple[FloatArray, FloatArray]:
    """Return random accuracies and latencies that some model fulfils.

    They are distributed as if all pairs were drawn and those beyond every model rejected.
    """
    generation = lab.config.training_data.scenario_generation
    options = np.array(generation.latency_options, float)
    span = generation.accuracy_range
    # The highest accuracy within each latency, -1 where no model is as quick.
    is_quick = lab.models.latency_ms <= options[:, None]
    highest_of_models = np.where(is_quick, lab.models.accuracy, -1.0).max(axis=1)
    highest = np.minimum(np.asarray(highest_of_models), span.max)
    width = highest - span.min
    if not (width >= 0).any():
        latencies = ", ".join(f"{option:g}" for option in options)
        raise InvalidInputError(
            "no model is as accurate and as quick as any of these",
            field="training_data.scenario_generation.accuracy_range, latency_options",
            value=f"{span.min:g} to {span.max:g}, {latencies} ms",
            remedy=(
                f"The models reach {lab.models.accuracy.max():g}, and the quickest takes "
                f"{lab.models.latency_ms.min():g} ms."
            ),
        )
    # Where all ranges shrink to a single accuracy, the latencies are equally likely.
    possible_weight = width if (width > 0).any() else 1.0
    weight = np.where(width >= 0, possible_weight, 0.0)
    option = noise.choice(len(options), size=count, p=weight / weight.sum())
    accuracy = np.round(span.min + noise.random(count) * width[option], _DIGITS)
    return np.clip(accuracy, span.min, highest[option]), options[option]


def _draw(noise: np.random.Generator, span: Range, count: int) -> FloatArray:
    rounded = np.round(noise.uniform(span.min, span.max, count), _DIGITS)
    return np.clip(rounded, span.min, span.max)


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
        is_here = location == index
        slots = slot[is_here]
        year = lab.clean_shares[name]
        horizon_slots = slots[:, None] + np.arange(ahead.shape[1])
        newest[is_here] = year.newest(slots)
        ahead[is_here] = year.share[horizon_slots]
        expected[is_here] = np.round(year.expect(slots, steps, step_minutes=minutes), _DIGITS)
    return newest, ahead, expected
