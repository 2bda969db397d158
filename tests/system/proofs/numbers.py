"""Slots of numbers in place of unknowns."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from luna.energy.timeline import FloatArray
from tests.system.proofs.claims import Inputs
from tests.system.proofs.terms import Terms, list_elements

_KINDS = {
    "mode": np.int8,
    "curtailment": np.int8,
    "charge_from_grid": bool,
    "discharge_to_grid": bool,
    "curtailable": bool,
}


def put_numbers(part: Any, numbers: Mapping[str, FloatArray], name: str = "") -> Any:
    """Return inputs of unknowns with numbers in their place, each an array over sites side by
    side.
    """
    if is_dataclass(part):
        return type(part)(
            **{
                field.name: put_numbers(getattr(part, field.name), numbers, field.name)
                for field in fields(part)
            }
        )
    if not isinstance(part, Terms):
        return part
    rows = np.array([numbers[str(element)] for element in list_elements(part)]).astype(
        _KINDS.get(name, float)
    )
    return rows.reshape(*part.shape[:-1], -1)


def draw_numbers(given: Inputs, count: int, rng: np.random.Generator) -> dict[str, FloatArray]:
    """Return numbers for all unknowns of a slot: ordinary ones, and many on an edge, equal to a
    limit, beyond it, or zero.
    """
    drawn = {name: _draw(name.rpartition("_")[0], count, rng) for name in _list_names(given)}
    for name in sorted(drawn):
        what, _, index = name.rpartition("_")
        if what == "min_soc":
            low, high = np.sort([drawn[name], drawn[f"max_soc_{index}"]], axis=0)
            drawn |= {name: np.where(rng.random(count) < 0.1, high, low), f"max_soc_{index}": high}
        elif what == "min_charge_kw":
            drawn[name] = np.minimum(drawn[name], drawn[f"charge_limit_kw_{index}"])
        elif what == "stored_kwh":
            edges = np.array(
                [
                    drawn[f"{edge}_{index}"]
                    for edge in ("min_soc", "max_soc", "target_soc", "spill_soc")
                ]
            )
            soc = np.where(
                rng.random(count) < 0.2,
                rng.permuted(edges, axis=0)[0],
                rng.uniform(-0.2, 1.3, count),
            )
            drawn[name] = soc * drawn[f"capacity_kwh_{index}"]
    return drawn


def _list_names(part: Any) -> list[str]:
    if is_dataclass(part):
        return [name for field in fields(part) for name in _list_names(getattr(part, field.name))]
    return [str(element) for element in list_elements(part)] if isinstance(part, Terms) else []


def _draw(what: str, count: int, rng: np.random.Generator) -> FloatArray:
    whole = {
        "mode": (-1, 7),
        "curtailment": (-1, 4),
        "charge_from_grid": (0, 2),
        "discharge_to_grid": (0, 2),
        "curtailable": (0, 2),
    }
    if what in whole:
        return rng.integers(*whole[what], count).astype(float)
    if what == "hours":
        return rng.choice([1 / 12, 0.25, 0.5, 1.0, 0.1], count)
    if what.endswith("efficiency"):
        return np.where(rng.random(count) < 0.2, 1.0, rng.uniform(0.5, 1.0, count))
    if what in {"capacity_kwh", "limit_kw", "alone_limit_kw"}:
        return rng.uniform(0.5, 12.0, count)
    if what in {"pv_share", "alone_share"}:
        return rng.uniform(0.0, 1 / 3, count)
    asked = (
        what.endswith("_soc") and what not in {"min_soc", "max_soc", "taper_from_soc"}
    ) or what in {"power_kw", "pv_limit_kw"}
    share = what.endswith("_soc") or what.startswith("taper")
    most = 1.0 if share else 6.0
    ordinary = rng.uniform(-0.3 if asked else 0.0, most * 1.3 if asked else most, count)
    return np.where(rng.random(count) < 0.25, rng.choice([0.0, most / 2, most], count), ordinary)
