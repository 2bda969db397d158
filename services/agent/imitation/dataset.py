"""Samples for others: one safetensors file, its columns and the version of its states in the header; also of recorded training episodes."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from luna.energy.errors import InvalidInputError
from luna.energy.physics import Mode
from luna.energy.timeline import to_instant
from luna.platform.database.episodes import EpisodeStep
from services.agent.imitation.samples import ModeSamples, School
from services.agent.imitation.teachers import MODES

FORMAT = 1
# What stands in each tensor, one row a sample.
COLUMNS = {
    "slot_start": "start of the quarter-hour, seconds since 1970-01-01 UTC, int64",
    "stored_kwh": "energy in the battery at its start, kWh, float64",
    "states": "the state as it was known then, float32; its features in order stand in `features`",
    "mode": "what is to be learned, place in `modes`, int8",
    "regret": "what each mode costs more than the cheapest, currency, float64; modes in order of `modes`",
    "weight": "what the sample counts: 1, less on days on which the battery's data are masked, float64",
}


def export_samples(samples: ModeSamples, school: School) -> bytes:
    """Return samples as a safetensors file."""
    from safetensors.numpy import save

    scene = school.history.scene
    tensors: dict[str, NDArray[Any]] = {
        "slot_start": scene.timeline.starts[samples.slot].astype("datetime64[s]").astype(np.int64),
        "stored_kwh": samples.stored_kwh,
        "states": samples.states,
        "mode": samples.mode,
        "regret": samples.regret,
        "weight": samples.weight,
    }
    header = {
        "format": str(FORMAT),
        "state_version": school.layout.version,
        "features": json.dumps(school.layout.names),
        "modes": json.dumps([mode.word for mode in MODES]),
        "columns": json.dumps(COLUMNS),
        "site": scene.site.name,
        "currency": scene.site.currency,
        "data_from": scene.timeline.start.isoformat(),
        "data_until": scene.timeline.end.isoformat(),
    }
    return save(tensors, metadata=header)


def import_samples(content: bytes, school: School) -> ModeSamples:
    """Return exported samples of a history.

    Raises:
        InvalidInputError: no such file, another format or state version, or samples from beyond the history.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        tensors, header = load(content), _read_header(content)
    except (SafetensorError, ValueError) as exc:
        raise InvalidInputError(f"the file holds no samples: {exc}", field="dataset", remedy="Export it again.") from exc
    expected = {"format": str(FORMAT), "state_version": school.layout.version}
    for name, value in expected.items():
        if header.get(name) != value:
            raise InvalidInputError(f"the samples are of another {name} than {value}", field=name, value=header.get(name), remedy="Export them again.")
    window = school.history.scene.timeline
    slot = (tensors["slot_start"] - int(window.starts[0].astype("datetime64[s]").astype(np.int64))) // int(window.step.total_seconds())
    if not ((slot >= 0) & (slot < window.count)).all():
        raise InvalidInputError("the samples are of another time than the history", field="slot_start", remedy="Read a history that holds them.")
    return ModeSamples(slot=slot, **{name: tensors[name] for name in ("stored_kwh", "states", "mode", "regret", "weight")})


def _read_header(content: bytes) -> dict[str, str]:
    length = int.from_bytes(content[:8], "little")
    header: dict[str, str] = json.loads(content[8 : 8 + length]).get("__metadata__", {})
    return header


def take_episodes(school: School, steps: Sequence[EpisodeStep]) -> ModeSamples:
    """Return the states that recorded training episodes of the only battery visited, each slot with its commanded mode; the teacher gives the regret.

    Each step holds a day (``state.soc``, ``action.mode``) from its slot on; days beyond the history are left out.
    """
    window, battery = school.history.scene.timeline, school.teacher.policy.battery
    stored, modes = np.full(window.count, np.nan), np.zeros(window.count, dtype=np.int8)
    for step in steps:
        soc, words = (np.asarray(part.get(battery.name, [])) for part in (step.state.get("soc", {}), step.action.get("mode", {})))
        slots = int((to_instant(step.slot_start) - window.starts[0]) // np.timedelta64(window.step)) + np.arange(words.size)
        inside = (slots >= 0) & (slots < window.count)
        stored[slots[inside]] = soc[: words.size][inside] * battery.capacity_kwh
        modes[slots[inside]] = [Mode[word.upper()] for word in words[inside].tolist()]
    samples = school.label(stored)
    return replace(samples, mode=modes[samples.slot])
