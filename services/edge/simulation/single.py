"""One camera as configured, under each controller, in one held-out week a location.

It is the first of the location's first season.
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

# Files to write, as far as asked for.
_NAMES = ("runs", "battery_levels", "energy", "models", "tasks")


def simulate(lab: Lab) -> dict[str, Any]:
    """Simulate the configured camera and write rows into ``OUT/simulation``.

    What was there from before goes.

    Rows ``runs`` are as a batch's; ``battery_levels``, ``energy`` and ``models`` hold an hour each,
    ``tasks`` one task, as ``simulation.logging`` asks.

    Returns:
        Figures: the folder, how long runs last, and of each run its misses, clean share, dirty
            energy and objective.
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
        0,
        season,
        0,
        battery.capacity_wh,
        battery.charge_rate_watts,
        request.accuracy,
        request.latency_ms,
    )
    groups: list[CameraGroup] = []
    for location in lab.config.data_sources.locations:
        period = GridPeriod.cut(
            lab.clean_shares[location], held_out_weeks(season)[0], conditions.schedule.slots
        )
        groups += [
            CameraGroup(controller, conditions, (period,), (camera,), trained.get(controller))
            for controller in simulation.controllers
        ]
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
        row_groups = {"runs": [row]} | {
            name: hours.rows[name] for name, logged in is_logged.items() if logged
        }
        for name, rows in row_groups.items():
            writer = files.enter_context(RowWriter(folder, name, form))
            writer.append(rows)
            writer.sync()
    return row


class HourLog:
    """One camera's hours as rows.

    The battery's level at their end, the energies and the models of each.
    """

    def __init__(self, group: CameraGroup) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {
            "battery_levels": [],
            "energy": [],
            "models": [],
        }
        self._say = _name_hours(group)
        self._names = group.conditions.models.names
        self._capacity_wh = group.cameras[0].capacity_wh
        self._before: Tally | None = None
        self._stored_wh = 0.0

    def log(self, at_us: int, state: CameraState, tally: Tally) -> None:
        row_key = self._say(at_us)
        self.rows["battery_levels"].append(
            row_key | {"battery_percent": round(100 * state.stored_wh[0] / self._capacity_wh, 2)}
        )
        total = tally.total()
        if self._before is not None:
            since = Tally(
                *(now[0] - before[0] for now, before in zip(total, self._before, strict=True))
            )
            energy = {name: float(getattr(since, name)) for name in ("charged_wh", "clean_wh")}
            self.rows["energy"].append(
                row_key
                | energy
                | {"taken_wh": energy["charged_wh"] - float(state.stored_wh[0]) + self._stored_wh}
            )
            misses = {
                "small_misses": int(since.small_misses),
                "large_misses": int(since.large_misses),
            }
            self.rows["models"].append(
                row_key | dict(zip(self._names, since.inferences.tolist(), strict=True)) | misses
            )
        self._before, self._stored_wh = total, float(state.stored_wh[0])

    def task(self, at_us: int, decision: Decision, state: CameraState) -> None:
        """Hours are all that is kept."""


class TaskLog:
    """One camera's tasks as rows, written every hour.

    Each has its model (null: none was chosen), whether it charged, and the level after that.
    """

    def __init__(self, group: CameraGroup, writer: RowWriter) -> None:
        self._say, self._writer, self._rows = _name_hours(group), writer, list[dict[str, Any]]()
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
        self._rows.append(self._say(at_us) | decision_row)


def _name_hours(group: CameraGroup) -> Callable[[int], dict[str, Any]]:
    """Return the run and the time of a row."""
    (named,) = group.name_runs()
    begin = group.periods[0].begins_at.astype("datetime64[ms]")
    return lambda at_us: {
        "run_id": named["run_id"],
        "at": f"{begin + np.timedelta64(at_us // 1000, 'ms')}Z",
    }
