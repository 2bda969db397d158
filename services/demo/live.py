"""A simulated home that lives now: asked of a Luna that runs, and a clock that goes faster for it."""

import os
import shutil
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from luna.contracts.simulated_home import SimulatedHomeReply, SimulatedHomeRequest
from luna.energy.errors import ConflictError, LunaError
from luna.platform.clock import CLOCK_VARIABLE, SystemClock, move_clock
from luna.platform.embedded import Addresses
from luna.platform.embedded.account import is_locked
from luna.platform.private_folders import make_private
from luna.platform.settings import Settings, load_settings
from luna.platform.simulated_home.preparation import list_preparation
from services.demo.environment import PATIENCE, await_workers, queue

# Packages over a slow line, once.
MAKE_TIMEOUT = timedelta(hours=1)
STAGE_TIMEOUT = timedelta(minutes=30)
# A busy machine starts all of Luna meanwhile.
START_SECONDS = 300.0
CLOCK_SECONDS = 0.2
FAST_FOLDER = "demo-fast"
PRICE_ORIGINS = {"market": "today's, of the market that it lies in", "recorded": "those of the recorded year: nobody was reached, or may be asked, for today's"}


def prepare_home(addresses: Addresses, say: Callable[[str], object]) -> None:
    """Ask for the home and for what its first minute shows, and ``say`` how far it is; what fails is named, and the rest goes on.

    Raises:
        LunaError: there is no home.
    """
    with queue(addresses.redis_url) as client:
        await_workers(client.heartbeats, seconds=START_SECONDS)
        home: SimulatedHomeReply = client.call(SimulatedHomeRequest(), timeout=MAKE_TIMEOUT, patience=PATIENCE)
        say(f"The simulated home lives. Its prices are {PRICE_ORIGINS[home.prices]}.")
        for name, request in list_preparation(SystemClock().now()).items():
            try:
                client.call(request, timeout=STAGE_TIMEOUT, patience=PATIENCE)
            except LunaError as error:
                say(f"{name.replace('_', ' ')}: {error}")


def speed_up_clock(settings: Settings, speed: float) -> Settings:
    """Return settings of a folder of its own, whose clock goes faster from now on: no Luna of the owner's is ever in the future.

    Raises:
        ConflictError: another one lives there.
    """
    folder = settings.data_folder / FAST_FOLDER
    users = folder / "servers" / "users.lock"
    if users.exists() and is_locked(users):
        raise ConflictError("a simulated home lives in this folder already", field="data_folder", value=str(folder), remedy="End it with Ctrl-C.")
    shutil.rmtree(folder, ignore_errors=True)
    make_private(folder, holds_servers=True)
    clock = folder / "clock"
    move_clock(clock, timedelta())
    os.environ |= {"LUNA_DATA_FOLDER": str(folder), "LUNA_CACHE_FOLDER": str(settings.cache.resolve()), CLOCK_VARIABLE: str(clock)}
    threading.Thread(target=_run_clock, args=(clock, speed), daemon=True).start()
    load_settings.cache_clear()
    return load_settings()


def _run_clock(clock: Path, speed: float) -> None:
    began = time.monotonic()
    while True:
        time.sleep(CLOCK_SECONDS)
        move_clock(clock, timedelta(seconds=(time.monotonic() - began) * (speed - 1.0)))
