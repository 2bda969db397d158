"""The files that a simulated home lives from."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from luna.drivers.simulated_battery import BatteryCharge
from luna.simulated_home.car import CarState, ChargerCommand
from luna.simulated_home.files import Faults, HomeFiles, HomeSetup
from luna.simulated_home.heater import HeaterState
from luna.simulated_home.house import HomeState, advance

STATE = HomeState(
    1_790_000_000.0,
    BatteryCharge(5.0),
    car=CarState(20.0, command=ChargerCommand("on", 8, 1)),
    heater=HeaterState(51.5, mode="off"),
)


@pytest.fixture
def files(tmp_path: Path) -> HomeFiles:
    files = HomeFiles(tmp_path)
    files.make()
    return files


def test_it_is_read_as_it_was_kept(files: HomeFiles) -> None:
    setup = HomeSetup(1883, 7, car_faults=Faults(deaf=True))
    state = advance(STATE, load_kw=0.5, pv_kw=0.0, seconds=60, seed=7)
    files.write_state(state)
    files.write_setup(setup)
    assert (files.read_setup(), files.read_state()) == (setup, state)


def test_one_that_was_made_before_there_was_a_car_lives_on_without(files: HomeFiles) -> None:
    files.write_state(STATE)
    files.write_setup(HomeSetup(1883))
    for name, added in (
        ("state.json", ("car", "heater")),
        ("home.json", ("car_faults", "heater_faults")),
    ):
        path = files.folder / name
        document = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(
            json.dumps({key: value for key, value in document.items() if key not in added}),
            encoding="utf-8",
        )
    assert files.read_setup() == HomeSetup(1883)
    state = files.read_state()
    assert state == replace(STATE, car=None, heater=None)
    files.note_truth(advance(state, load_kw=0.5, pv_kw=0.0, seconds=60, seed=7), soc=0.5)
    assert [row["car_kw"] for row in files.read_truth()] == [""]


def test_one_that_is_removed_while_its_process_writes_leaves_nothing(files: HomeFiles) -> None:
    files.write_setup(HomeSetup(1883))
    begun = threading.Event()
    removed = threading.Event()

    def live() -> None:
        day = 0
        while not removed.is_set():
            files.note_truth(replace(STATE, at=STATE.at + 86_400 * day), soc=0.5)
            files.write_state(STATE)
            day += 1
            if day > 20:
                begun.set()

    writer = threading.Thread(target=live)
    writer.start()
    begun.wait()
    files.remove()
    removed.set()
    writer.join()
    assert list(files.folder.parent.iterdir()) == []
