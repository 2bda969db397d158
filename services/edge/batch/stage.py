"""Run a batch: send groups to workers, store their rows and repeat failed groups.

A group that keeps failing is tried run by run; runs that fail for good are named in the end. The
same configuration, data and seed give the same runs in the same groups.
"""

import fcntl
import hashlib
import json
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from luna.energy.errors import ConflictError, InvalidInputError
from services.edge.batch.transport import GroupReply, GroupTransport, LocalProcesses
from services.edge.clean_share import held_out_weeks
from services.edge.config import Location, Season
from services.edge.controller.inference import TrainedController
from services.edge.lab import Lab, count_workers
from services.edge.row_files import RowForm, RowWriter, keep_origin, read_rows, remove_rows
from services.edge.simulation.controllers.learned import describe_trained, load_trained
from services.edge.simulation.grid_period import GridPeriod
from services.edge.simulation.group import CameraGroup, CameraRequest, GroupConditions

# More cameras side by side gain nothing, and what was worked out of them is lost when a machine
# goes.
_MOST_CAMERAS = 256
RUNS = "runs"
FAILED = "failed"
_ORIGIN = "batch"
# So many failed runs are named in the result; rows ``failed`` name all.
_NAMED = 100


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """The runs of a batch, numbered: by controller, location, season, variation.

    Args:
        lab: the configuration, and the data.
        controllers, locations, seasons: of which each is run with each.
        variations: so many cameras are drawn; each runs at all locations, in all seasons, under all
            controllers.
        conditions: what all runs share.
        trained: learned controllers by name.
    """

    lab: Lab
    controllers: tuple[str, ...]
    locations: tuple[Location, ...]
    seasons: tuple[Season, ...]
    variations: int
    conditions: GroupConditions
    trained: Mapping[str, TrainedController]

    @classmethod
    def of(cls, lab: Lab) -> Self:
        """Return the plan of a lab.

        Raises:
            InvalidInputError: no model is as accurate and as quick as some variation may ask, or a
                learned controller has not been trained.
        """
        simulation = lab.config.simulation
        batch = lab.config.batch_simulation
        sources = lab.config.data_sources
        ranges = batch.variations
        models = lab.models
        quick = models.latency_ms <= ranges.latency_range.max
        accurate = models.accuracy >= ranges.accuracy_range.min / 100
        if not (quick & accurate).any():
            described = []
            for place, name in enumerate(models.names):
                accuracy = models.accuracy[place]
                latency_ms = models.latency_ms[place]
                described.append(f"{name} {accuracy:.1%} {latency_ms:g} ms")
            raise InvalidInputError(
                "no model is as accurate and as quick as any variation would ask",
                field="batch_simulation.variations",
                value=(
                    f"at least {ranges.accuracy_range.min:g} % within "
                    f"{ranges.latency_range.max:g} ms"
                ),
                remedy=f"Ask for less accuracy or more time: {', '.join(described)}.",
            )
        conditions = GroupConditions.of(lab, days=batch.duration_days)
        controllers = tuple(dict.fromkeys(simulation.controllers))
        locations = tuple(dict.fromkeys(sources.locations))
        seasons = tuple(dict.fromkeys(sources.seasons))
        return cls(
            lab=lab,
            controllers=controllers,
            locations=locations,
            seasons=seasons,
            variations=batch.variations.num_variations,
            conditions=conditions,
            trained=load_trained(lab),
        )

    @property
    def runs(self) -> int:
        """Number of runs."""
        return len(self.controllers) * self._per_controller

    @property
    def _per_controller(self) -> int:
        return len(self.locations) * len(self.seasons) * self.variations

    def number_of(self, row: Mapping[str, Any]) -> int:
        """Return the number of a row's run."""
        controller = self.controllers.index(row["controller"])
        location = self.locations.index(row["location"])
        season = self.seasons.index(row["season"])
        place = controller * len(self.locations) + location
        place = place * len(self.seasons) + season
        return place * self.variations + int(row["variation"])

    def group_numbers(self, completed: bytearray) -> Iterator[tuple[int, ...]]:
        """Yield the open runs in groups by controller, no larger than a checkpoint."""
        most = min(self.lab.config.batch_simulation.execution.checkpoint_interval, _MOST_CAMERAS)
        for begin in range(0, self.runs, self._per_controller):
            group: list[int] = []
            for number in range(begin, begin + self._per_controller):
                if not completed[number]:
                    group.append(number)
                if len(group) == most or (group and number == begin + self._per_controller - 1):
                    yield tuple(group)
                    group = []

    def build_group(self, numbers: Sequence[int]) -> CameraGroup:
        """Return the simulated group of runs of one controller."""
        periods: dict[tuple[Location, int], GridPeriod] = {}
        weeks = {season: held_out_weeks(season) for season in self.seasons}
        cameras = []
        for number in numbers:
            place, variation = divmod(number % self._per_controller, self.variations)
            location = self.locations[place // len(self.seasons)]
            season = self.seasons[place % len(self.seasons)]
            week = weeks[season][variation % len(weeks[season])]
            if (location, week) not in periods:
                year = self.lab.clean_shares[location]
                period = GridPeriod.cut(year, week, self.conditions.schedule.slots)
                periods[location, week] = period
            place_of_period = list(periods).index((location, week))
            drawn = self._draw_camera(variation)
            cameras.append(CameraRequest(place_of_period, season, variation, *drawn))
        controller = self.controllers[numbers[0] // self._per_controller]
        return CameraGroup(
            controller=controller,
            conditions=self.conditions,
            periods=tuple(periods.values()),
            cameras=tuple(cameras),
            trained=self.trained.get(controller),
        )

    def _draw_camera(self, variation: int) -> tuple[float, float, float, float]:
        """Return a variation's capacity, charge rate, accuracy and latency.

        At least one model fulfils its requirements.
        """
        ranges = self.lab.config.batch_simulation.variations
        models = self.lab.models
        noise = np.random.default_rng([self.lab.seed, variation])
        capacity, rate, accuracy, latency = noise.uniform(size=4)
        span = ranges.battery_capacity_range
        capacity_wh = span.min + (span.max - span.min) * capacity
        span = ranges.charge_rate_range
        rate_w = span.min + (span.max - span.min) * rate
        least = ranges.accuracy_range.min / 100
        most = ranges.accuracy_range.max / 100
        best = models.accuracy[models.latency_ms <= ranges.latency_range.max].max()
        required = least + (min(most, float(best)) - least) * accuracy
        quickest = float(models.latency_ms[models.accuracy >= required].min())
        quickest = max(quickest, ranges.latency_range.min)
        latency_ms = quickest + (ranges.latency_range.max - quickest) * latency
        return capacity_wh, rate_w, required, latency_ms

    def describe(self) -> dict[str, Any]:
        """Return the batch's inputs; only the same inputs may add rows to it."""
        plain = self.conditions.to_json()
        omitted = {"models", "seed"}
        simulation = {name: value for name, value in plain.items() if name not in omitted}
        clean_shares = {}
        for location in self.locations:
            year = self.lab.clean_shares[location]
            digest = hashlib.sha256(year.share.tobytes()).hexdigest()
            clean_shares[location] = {"measured": year.measured, "digest": digest}
        trained_controllers = {}
        for name, controller in self.trained.items():
            text = json.dumps(describe_trained(controller), sort_keys=True)
            trained_controllers[name] = hashlib.sha256(text.encode()).hexdigest()
        variations = self.lab.config.batch_simulation.variations.model_dump()
        return {
            "batch_simulation": {"variations": variations},
            "controllers": list(self.controllers),
            "data_sources": {"locations": list(self.locations), "seasons": list(self.seasons)},
            "simulation": simulation,
            "seed": self.lab.seed,
            "camera_models": plain["models"],
            "clean_shares": clean_shares,
            "trained_controllers": trained_controllers,
        }


@dataclass(frozen=True, slots=True)
class GroupAttempt:
    """Runs simulated together, and the number of the attempt."""

    numbers: tuple[int, ...]
    tries: int = 1


@dataclass(slots=True)
class BatchCollection:
    """A batch in progress; a run is done once its row is stored.

    Args:
        plan: of the batch.
        folder: where rows go.
        form: how they are written.
        completed: a one for each run that is done.
        failed: names of runs that failed for good.
    """

    plan: BatchPlan
    folder: Path
    form: RowForm
    completed: bytearray
    failed: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, plan: BatchPlan, folder: Path, form: RowForm) -> "BatchCollection":
        """Return the collection with the runs that are done already."""
        completed = bytearray(plan.runs)
        # Opening cuts off a row that a crash left half written.
        with RowWriter(folder, RUNS, form):
            for row in read_rows(folder, RUNS):
                completed[plan.number_of(row)] = 1
        return cls(plan, folder, form, completed)

    def work_off(self, transport: GroupTransport) -> None:
        """Let all open runs be simulated, and keep their rows.

        Raises:
            MachineError: the disk takes no more; run it again, it goes on.
        """
        groups = self.plan.group_numbers(bytearray(self.completed))
        waiting = (GroupAttempt(numbers) for numbers in groups)
        again = deque[GroupAttempt]()
        under_way: dict[int, GroupAttempt] = {}
        key = 0
        with (
            RowWriter(self.folder, RUNS, self.form) as runs,
            RowWriter(self.folder, FAILED, self.form) as failed,
        ):
            while True:
                while len(under_way) < transport.capacity:
                    following = again.popleft() if again else next(waiting, None)
                    if following is None:
                        break
                    key += 1
                    under_way[key] = following
                    transport.submit(key, self.plan.build_group(following.numbers).to_json())
                if not under_way:
                    return
                reply = transport.wait()
                attempt = under_way.pop(reply.key)
                if reply.error is None:
                    self._keep_rows(runs, attempt, reply)
                elif attempt.tries <= self.plan.lab.config.batch_simulation.execution.max_retries:
                    again.append(GroupAttempt(attempt.numbers, attempt.tries + 1))
                elif len(attempt.numbers) > 1:
                    # Alone, each run shows whether it is the one that fails.
                    again.extend(GroupAttempt((number,)) for number in attempt.numbers)
                else:
                    (named,) = self.plan.build_group(attempt.numbers).name_runs()
                    failed.append([named | {"error": reply.error}])
                    failed.sync()
                    self.failed.append(named["run_id"])
                    self._report_progress()

    def _keep_rows(self, runs: RowWriter, attempt: GroupAttempt, reply: GroupReply) -> None:
        numbered = zip(attempt.numbers, reply.rows, strict=True)
        # The same group may come back twice from a queue.
        new_rows = [row for number, row in numbered if not self.completed[number]]
        runs.append(new_rows)
        runs.sync()
        for number in attempt.numbers:
            self.completed[number] = 1
        self._report_progress()

    def _report_progress(self) -> None:
        finished = self.completed.count(1) + len(self.failed)
        self.plan.lab.progress(finished, self.plan.runs, "runs simulated")


@contextmanager
def hold_folder(folder: Path) -> Iterator[None]:
    """Keep others from working off a batch in the same folder.

    Raises:
        ConflictError: somebody does already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "batch.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConflictError(
                "another batch is being worked off in this folder",
                field="--out",
                value=str(folder),
                remedy="Wait for it, or name another folder.",
            ) from error
        yield


def run_batch(lab: Lab, transport: GroupTransport | None = None) -> dict[str, Any]:
    """Simulate locations × seasons × variations × controllers into rows ``runs`` of ``OUT/batch``.

    Killed at any moment, the next call goes on where it was.

    Args:
        lab: the configuration, and the data.
        transport: simulates the groups; default: processes of this machine.

    Returns:
        Figures: numbers of all runs, new ones and failed ones (named; rows ``failed`` have the
            reasons), and the duration.

    Raises:
        ConflictError: another batch is being worked off in the folder, or rows of another
            configuration are there.
        InvalidInputError: the configuration allows no camera, or a learned controller has not been
            trained.
        MachineError: the disk takes no more; run it again, it goes on.
    """
    plan = BatchPlan.of(lab)
    folder = lab.batch
    execution = lab.config.batch_simulation.execution
    with hold_folder(folder):
        if not execution.resume_on_failure:
            for name in (RUNS, FAILED):
                remove_rows(folder, name)
            (folder / f"{_ORIGIN}.json").unlink(missing_ok=True)
        keep_origin(folder, _ORIGIN, plan.describe())
        # Runs that failed before are tried again.
        remove_rows(folder, FAILED)
        begun = time.perf_counter()
        export = lab.config.results.export
        form = RowForm(max_mb=export.max_file_size_mb if export.split_large_files else None)
        collection = BatchCollection.open(plan, folder, form)
        before = collection.completed.count(1)
        if transport is not None:
            collection.work_off(transport)
        elif before < plan.runs:
            workers = min(lab.workers, count_workers(execution.parallel_workers))
            with LocalProcesses(workers) as processes:
                collection.work_off(processes)
        seconds = time.perf_counter() - begun
        new_runs = collection.completed.count(1) - before
        return {
            "folder": str(collection.folder),
            "runs": plan.runs,
            "made_now": new_runs,
            "failed": len(collection.failed),
            "failed_runs": collection.failed[:_NAMED],
            "days": plan.conditions.days,
            "controllers": list(plan.controllers),
            "seed": plan.lab.seed,
            "stand_ins": plan.lab.stand_ins,
            "seconds": round(seconds, 3),
            "camera_days_per_s": round(new_runs * plan.conditions.days / seconds, 1),
        }
