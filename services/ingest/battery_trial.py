"""Moves batteries by a little before anything is armed: where the home's devices are reached, one battery after the other, whoever asks."""

import math
import os
from collections.abc import Callable
from contextlib import closing

from luna.contracts.battery_trial import BatteryMove, BatteryTrial, BatteryTrials, TryBatteriesRequest
from luna.energy.devices import Via
from luna.energy.errors import LunaError
from luna.energy.refusals import refuse
from luna.energy.site import Site, parse_site
from luna.platform.control_service import allow_trial
from luna.platform.database.engine import unit_of_work
from luna.platform.drivers import DEVICES_FOLDER
from luna.platform.drivers.inverter import reach_device
from luna.platform.drivers.trial import STEPS, TrialStep, bound_by, move_battery
from luna.platform.embedded.account import open_lock, take
from luna.platform.private_folders import make_private
from luna.platform.queue import TaskContext


def try_batteries(request: TryBatteriesRequest, work: TaskContext) -> BatteryTrials:
    """Return what came of moving each battery; takes half a minute for each."""
    site = None if request.site is None else parse_site(request.site)
    trials = dict[str, BatteryTrial]()
    for battery, via in request.vias.items():
        moves = list[BatteryMove]()

        def report(step: TrialStep, moves: list[BatteryMove] = moves) -> None:
            power_w = None if math.isnan(step.power_w) else step.power_w
            moves.append(BatteryMove(mode=step.mode, outcome=step.outcome, is_right=step.is_right, power_w=power_w, seconds=step.seconds))
            work.progress(len(trials) * len(STEPS) + len(moves), len(request.vias) * len(STEPS))

        work.progress(len(trials) * len(STEPS), len(request.vias) * len(STEPS))
        try:
            _move(work, battery, via, site=site, report=report)
            problem = None
        except LunaError as error:
            problem = error.problem()
        trials[battery] = BatteryTrial(moves=moves, problem=problem)
    return BatteryTrials(batteries=trials)


def _move(work: TaskContext, battery: str, via: Via | None, *, site: Site | None, report: Callable[[TrialStep], None]) -> None:
    if via is None:
        raise refuse("device-address-unreadable", field="via")
    with unit_of_work(work.database()) as connection:
        bounds = allow_trial(connection, via)
    if site is not None and any(each.name == battery for each in site.batteries):
        bounds = bound_by(site, battery)
    folder = work.settings.data_folder / DEVICES_FOLDER
    make_private(folder)
    # Two at once would each read what the other does.
    lock = open_lock(folder / "trial")
    try:
        if not take(lock):
            raise refuse("device-tried-already", field="via", value=via.host)
        with closing(reach_device(via, work.settings.data_folder)) as device:
            move_battery(device, bounds, report=report)
    finally:
        os.close(lock)
