"""``luna demo --live``: a Luna with a simulated home that lives now, until Ctrl-C; beside a Luna that runs already, the home alone."""

import os
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from services.cli.console import err
from services.cli.demo.environment import PATIENCE, await_workers, queue

if TYPE_CHECKING:
    from pathlib import Path

    from luna.platform.embedded import Addresses
    from luna.platform.settings import Settings

# Packages over a slow line, once.
MAKE_TIMEOUT = timedelta(hours=1)
STAGE_TIMEOUT = timedelta(minutes=30)
# A busy machine starts all of Luna meanwhile.
START_SECONDS = 300.0
CLOCK_SECONDS = 0.2
FAST_FOLDER = "demo-fast"
PRICES_SAID = {"market": "today's, of the market that it lies in", "recorded": "those of the recorded year: nobody was reached, or may be asked, for today's"}


def show_live(*, speed: float) -> None:
    """Run everything with a simulated home, or add it to the Luna that runs in this folder.

    Raises:
        ConflictError: Luna speaks to a broker already, or another site has the home's name.
        MachineError: what this machine lacks.
    """
    from luna.energy.errors import MachineError
    from luna.platform.settings import load_settings
    from services.api.server import listen
    from services.cli.up import run_everything

    settings = load_settings()
    try:
        listen(settings).close()
    except MachineError as error:
        # Where another Luna runs it takes the home in, but no other clock.
        if error.field != "api_port" or speed != 1.0:
            raise
        add_home(settings)
        return
    run_everything(_hurry(settings, speed) if speed != 1.0 else settings, begin=prepare_home)


def add_home(settings: "Settings") -> None:
    """Add the home to the Luna that runs beside, and return when it is there."""
    from luna.platform.embedded import running

    with running(settings) as addresses:
        prepare_home(addresses)
    err.print(f"It is at http://{settings.api_host}:{settings.api_port}.")


def prepare_home(addresses: "Addresses") -> None:
    """Ask for the home and for what its first minute shows, and say how far it is; what fails is named, and the rest goes on.

    Raises:
        LunaError: there is no home.
    """
    from luna.contracts.simulated_home import SimulatedHomeReply, SimulatedHomeRequest
    from luna.energy.errors import LunaError
    from luna.platform.clock import SystemClock
    from luna.platform.simulated_home.preparation import list_preparation

    with queue(addresses.redis_url) as client:
        await_workers(client.heartbeats, seconds=START_SECONDS)
        made: SimulatedHomeReply = client.call(SimulatedHomeRequest(), timeout=MAKE_TIMEOUT, patience=PATIENCE)
        err.print(f"The simulated home lives. Its prices are {PRICES_SAID[made.prices]}.")
        for name, request in list_preparation(SystemClock().now()).items():
            try:
                client.call(request, timeout=STAGE_TIMEOUT, patience=PATIENCE)
            except LunaError as error:
                err.print(f"{name.replace('_', ' ')}: {error}", soft_wrap=True)


def _hurry(settings: "Settings", speed: float) -> "Settings":
    """Return settings of a folder of its own, whose clock goes faster from now on: no Luna of the owner's is ever in the future.

    Raises:
        ConflictError: another one lives there.
    """
    import shutil

    from luna.energy.errors import ConflictError
    from luna.platform.clock import CLOCK_VARIABLE, move_clock
    from luna.platform.embedded.account import is_held
    from luna.platform.private_folders import make_private
    from luna.platform.settings import load_settings

    folder = settings.data_folder / FAST_FOLDER
    users = folder / "servers" / "users.lock"
    if users.exists() and is_held(users):
        raise ConflictError("a simulated home lives in this folder already", field="data_folder", value=str(folder), remedy="End it with Ctrl-C.")
    shutil.rmtree(folder, ignore_errors=True)
    make_private(folder, holds_servers=True)
    clock = folder / "clock"
    move_clock(clock, timedelta())
    os.environ |= {"LUNA_DATA_FOLDER": str(folder), "LUNA_CACHE_FOLDER": str(settings.cache.resolve()), CLOCK_VARIABLE: str(clock)}
    threading.Thread(target=_run_clock, args=(clock, speed), daemon=True).start()
    load_settings.cache_clear()
    return load_settings()


def _run_clock(clock: "Path", speed: float) -> None:
    from luna.platform.clock import move_clock

    began = time.monotonic()
    while True:
        time.sleep(CLOCK_SECONDS)
        move_clock(clock, timedelta(seconds=(time.monotonic() - began) * (speed - 1.0)))
