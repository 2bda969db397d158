"""Simulate the configured camera under each controller.

Each location's run lies in the first held-out week of the first season.
"""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from services.edge.clean_share import held_out_weeks
from services.edge.lab import Lab
from services.edge.row_files import RowForm, RowWriter, remove_rows
from services.edge.simulation.cameras import CameraState
from services.edge.simulation.controllers.learned import load_trained
from services.edge.simulation.engine import SimulationListener
from services.edge.simulation.grid_period import GridPeriod
from services.edge.simulation.group import CameraGroup, CameraRequest, GroupConditions
from services.edge.simulation.metrics import Tally
from services.edge.simulation.protocol import Decision

# All rows that a simulation may write.
_NAMES = ("runs", "battery_levels", "energy", "models", "tasks")


def simulate(lab: Lab) -> dict[str, Any]:
    """Simulate the configured camera and write its rows into ``OUT/simulation``.

    Rows of an earlier simulation are removed. Rows ``runs`` are like a batch's. As far as
    ``simulation.logging`` enables them, ``battery_levels``, ``energy`` and ``models`` hold a row
    per hour, ``tasks`` a row per task.

    Returns:
        The folder, the length of a run in days, and each run's misses, clean share, dirty energy
            and objective.
    """
    folder = lab.out / "simulation"
    for name in _NAMES:
        remove_rows(folder, name)
    simulation = lab.config.simulation
    season = lab.config.data_sources.seasons[0]
    trained = load_trained(lab)
    conditions = GroupConditions.of(lab, days=simulation.duration_days)
    battery = simulation.battery
    request = simulation.request
    camera = CameraRequest(
        place=0,
        season=season,
        variation=0,
        capacity_wh=battery.capacity_wh,
        charge_rate_w=battery.charge_rate_watts,
        accuracy=request.accuracy,
        latency_ms=request.latency_ms,
    )
    groups: list[CameraGroup] = []
    for location in lab.config.data_sources.locations:
        period = GridPeriod.cut(
            lab.clean_shares[location], held_out_weeks(season)[0], conditions.schedule.slots
        )
        for controller in simulation.controllers:
            group = CameraGroup(
                controller=controller,
                conditions=conditions,
                periods=(period,),
                cameras=(camera,),
                trained=trained.get(controller),
            )
            groups.append(group)
    runs = []
    for number, group in enumerate(groups):
        lab.progress(number, len(groups), f"{group.periods[0].location} {group.controller}")
        runs.append(_run(lab, group, folder))
    lab.progress(len(groups), len(groups), "simulated")
    columns = (
        "run_id",
        "location",
        "controller",
        "stand_in",
        "small_misses",
        "large_misses",
        "clean_share",
        "dirty_settled_wh",
        "objective_wh",
    )
    return {
        "folder": str(folder),
        "days": simulation.duration_days,
        "runs": [{name: row[name] for name in columns} for row in runs],
    }


def _run(lab: Lab, group: CameraGroup, folder: Path) -> dict[str, Any]:
    logging = lab.config.simulation.logging
    form = RowForm()
    with ExitStack() as files:
        hours = HourLog(group)
        listeners: list[SimulationListener] = [hours]
        if logging.log_every_task:
            listeners.append(TaskLog(group, files.enter_context(RowWriter(folder, "tasks", form))))
        (row,) = group.run(listeners=listeners, each_task=logging.log_every_task)
        is_logged = {
            "battery_levels": logging.log_battery_levels,
            "energy": logging.log_energy_usage,
            "models": logging.log_model_selections,
        }
        row_groups = {"runs": [row]}
        for name, logged in is_logged.items():
            if logged:
                row_groups[name] = hours.rows[name]
        for name, rows in row_groups.items():
            writer = files.enter_context(RowWriter(folder, name, form))
            writer.append(rows)
            writer.sync()
    return row


class HourLog:
    """Collects a row per hour of one camera: battery level, energies and models."""

    def __init__(self, group: CameraGroup) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {
            "battery_levels": [],
            "energy": [],
            "models": [],
        }
        self._run_and_time = _name_rows(group)
        self._names = group.conditions.models.names
        self._capacity_wh = group.cameras[0].capacity_wh
        # Sums and stored energy at the last hour; None before the run's begin was logged.
        self._last_total: Tally | None = None
        self._last_stored_wh = 0.0

    def log(self, at_us: int, state: CameraState, tally: Tally) -> None:
        run_and_time = self._run_and_time(at_us)
        percent = 100 * state.stored_wh[0] / self._capacity_wh
        level = {"battery_percent": round(percent, 2)}
        self.rows["battery_levels"].append(run_and_time | level)
        total = tally.total()
        stored_wh = float(state.stored_wh[0])
        if self._last_total is not None:
            totals = zip(total, self._last_total, strict=True)
            hour = Tally(*(now[0] - before[0] for now, before in totals))
            charged_wh = float(hour.charged_wh)
            energy = {
                "charged_wh": charged_wh,
                "clean_wh": float(hour.clean_wh),
                "taken_wh": charged_wh - stored_wh + self._last_stored_wh,
            }
            self.rows["energy"].append(run_and_time | energy)
            inferences = dict(zip(self._names, hour.inferences.tolist(), strict=True))
            misses = {
                "small_misses": int(hour.small_misses),
                "large_misses": int(hour.large_misses),
            }
            self.rows["models"].append(run_and_time | inferences | misses)
        self._last_total = total
        self._last_stored_wh = stored_wh

    def task(self, at_us: int, decision: Decision, state: CameraState) -> None:
        """Ignore single tasks."""


class TaskLog:
    """Writes a row per task of one camera, every hour.

    A row holds the model (null: none was chosen), whether the camera charged, and the battery level
    after the task.
    """

    def __init__(self, group: CameraGroup, writer: RowWriter) -> None:
        self._run_and_time = _name_rows(group)
        self._writer = writer
        self._rows: list[dict[str, Any]] = []
        self._names = (*group.conditions.models.names, None)
        self._capacity_wh = group.cameras[0].capacity_wh

    def log(self, at_us: int, state: CameraState, tally: Tally) -> None:
        self._writer.append(self._rows)
        self._rows.clear()

    def task(self, at_us: int, decision: Decision, state: CameraState) -> None:
        percent = 100 * float(state.stored_wh[0]) / self._capacity_wh
        decision_row = {
            "model": self._names[int(decision.model[0])],
            "charge": bool(decision.charge[0]),
            "battery_percent": round(percent, 4),
        }
        self._rows.append(self._run_and_time(at_us) | decision_row)


def _name_rows(group: CameraGroup) -> Callable[[int], dict[str, Any]]:
    """Return a function from microseconds since the begin to a row's run and time."""
    (named,) = group.name_runs()
    begin = group.periods[0].begins_at.astype("datetime64[ms]")

    def run_and_time(at_us: int) -> dict[str, Any]:
        at = begin + np.timedelta64(at_us // 1000, "ms")
        return {"run_id": named["run_id"], "at": f"{at}Z"}

    return run_and_time
