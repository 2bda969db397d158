"""EMHASS beside Luna: hands it the cases as files, reads back its times and what its plans cost."""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.peers.install import PYTHON, is_installed
from luna.contracts.plan import PlanRequest
from luna.energy.timeline import FloatArray

PATIENCE_S = 1800


@dataclass(frozen=True, slots=True)
class PeerPlans:
    """A peer's milliseconds of processor time per call, and its cost per case (currency, less the
    terminal value); NaN where its plan breaks a limit.
    """

    version: str
    new_ms: FloatArray
    kept_ms: FloatArray
    default_gap_ms: FloatArray
    cost: FloatArray


def run_emhass(
    cases: Sequence[dict[str, Any]], replans: Sequence[dict[str, Any]], *, rounds: int
) -> PeerPlans | None:
    """Return what EMHASS made of the cases; None where it is not installed."""
    found = _ask_emhass(cases, replans, rounds=rounds)
    if found is None:
        return None
    cost = [
        price_plan(plan, PlanRequest.model_validate(case))
        for plan, case in zip(found["plans"], cases, strict=True)
    ]
    new, kept, default_gap = (
        np.array(found[name]) for name in ("new_ms", "kept_ms", "default_gap_ms")
    )
    return PeerPlans(
        found["version"], new_ms=new, kept_ms=kept, default_gap_ms=default_gap, cost=np.array(cost)
    )


@dataclass(frozen=True, slots=True)
class DevicePlans:
    """EMHASS's milliseconds of CPU per case and its flows, as ``describe`` writes them."""

    milliseconds: FloatArray
    flows: list[dict[str, list[float]]]


def plan_devices_by_emhass(cases: Sequence[dict[str, Any]], *, gap: float) -> DevicePlans | None:
    """Return EMHASS's plans of cases with devices at a gap; None where it is not installed."""
    found = _ask_emhass(cases, cases, rounds=1, gap=gap)
    if found is None:
        return None
    return DevicePlans(np.array(found["new_ms"][-len(cases) :]), found["plans"])


def time_emhass(cases: Sequence[dict[str, Any]], *, gap: float) -> FloatArray | None:
    """Return the milliseconds EMHASS takes for each case at a gap, shape ``(1, cases)``.

    None where it is not installed.
    """
    found = _ask_emhass(cases, cases, rounds=1, gap=gap)
    return None if found is None else np.array(found["new_ms"]).reshape(1, -1)


def _ask_emhass(
    cases: Sequence[dict[str, Any]],
    replans: Sequence[dict[str, Any]],
    *,
    rounds: int,
    gap: float = 0.0,
) -> dict[str, Any] | None:
    if not is_installed():
        return None
    with tempfile.TemporaryDirectory(prefix="luna-bench-") as folder:
        for kind, documents in (("case", cases), ("replan", replans)):
            for place, document in enumerate(documents):
                (Path(folder) / f"{kind}_{place:03d}.json").write_text(
                    json.dumps(document), encoding="utf-8"
                )
        command = [
            str(PYTHON),
            str(Path(__file__).with_name("emhass_cases.py")),
            folder,
            str(rounds),
            str(gap),
        ]
        done = subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=PATIENCE_S
        )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def price_plan(plan: dict[str, list[float]], case: PlanRequest) -> float:
    """Return what a peer's flows cost under the case's prices.

    NaN where they hold back more PV than there is or miss the terminal SoC.
    """
    site = case.site
    outlook = case.outlook
    target = case.options.terminal.soc
    if site is None or outlook is None:
        return float("nan")
    flows = {name: np.array(values) for name, values in plan.items()}
    held_back_too_much = (flows["curtailed_kwh"] - np.array(outlook.pv_kwh)).max() > 1e-6
    if held_back_too_much or plan["soc_end"][-1] < (target or 0.0) - 1e-6:
        return float("nan")
    energy = flows["import_kwh"] @ np.array(outlook.import_price) - flows["export_kwh"] @ np.array(
        outlook.export_price
    )
    return float(energy + site.batteries[0].wear_price * flows["throughput_kwh"].sum())
