"""A device whose profile nobody has verified is read, and commanded only once a trial moved it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine

from luna.contracts.control import Override
from luna.drivers.command_trial import CommandStep
from luna.drivers.control.opening import open_device
from luna.drivers.device_server import serve_registers
from luna.drivers.profiles import OWN_FOLDER, PACKAGED, load_profile
from luna.drivers.simulator import SimulatedInverter
from luna.drivers.trial import TrialStep
from luna.drivers.write_limits import uncounted
from luna.energy.devices.commands import Via
from luna.energy.errors import ConflictError
from luna.energy.timeline import SLOT
from luna.house import control_service
from luna.house.untried_devices import find_untried, store_trial
from luna.platform.database import device_trials
from luna.platform.database.engine import unit_of_work
from luna.platform.settings import Settings
from tests.support.control.executor import START, Home

NO_FOLDER = Path("/nonexistent")
PROFILE = load_profile("goodwe_et", NO_FOLDER)
# Of 47511.
BY_ITSELF = 1
CHARGING = 11
HOLDS = TrialStep("hold", "right", 0.0, 10.0)
CHARGES = TrialStep("charge", "right", 200.0, 10.0, is_forced=True)
EXPORTS = TrialStep("export", "right", -200.0, 10.0, is_forced=True)
TURNED = TrialStep("charge", "turned_round", -200.0, 10.0, is_forced=True)
# A full battery takes nothing, and gives to the house alone.
SERVES = TrialStep("export", "right", -500.0, 10.0)
FULL = TrialStep("charge", "not_allowed", 0.0, 0.0)


@pytest.fixture
def inverter() -> SimulatedInverter:
    return SimulatedInverter(PROFILE)


@pytest.fixture
def via(inverter: SimulatedInverter) -> Iterator[Via]:
    with serve_registers(inverter) as server:
        yield Via(profile=PROFILE.profile, host="127.0.0.1", port=server.port)


@pytest.fixture
def home(database: Engine, via: Via, tmp_path: Path) -> Iterator[Home]:
    """A home whose owner wants its battery to charge with 2 kW."""
    settings = Settings(data_folder=tmp_path)
    reached = via.model_dump(mode="json", exclude_none=True)
    section = {"by": "profile", "batteries": [{"battery": "battery", "via": reached}]}
    home = Home(database, lambda control: open_device(settings, control, uncounted), section)
    with closing(home):
        yield home


def arm(home: Home) -> None:
    with unit_of_work(home.database) as connection:
        control_service.arm(connection, home.name, now=START, by="anna", data_folder=NO_FOLDER)


def try_device(home: Home, via: Via, *steps: TrialStep) -> None:
    with unit_of_work(home.database) as connection:
        store_trial(connection, via, steps, at=START)


def is_untried(home: Home, via: Via) -> bool:
    with unit_of_work(home.database) as connection:
        return bool(find_untried(connection, {"battery": via}, NO_FOLDER))


def test_an_untried_device_is_not_armed_and_its_owner_told_to_try_it(home: Home) -> None:
    with pytest.raises(ConflictError) as refused:
        arm(home)
    assert refused.value.reason == "device-untried"
    assert refused.value.parameters["device"] == "battery"


def test_an_armed_site_writes_nothing_to_a_device_that_was_never_tried(
    home: Home, via: Via, inverter: SimulatedInverter
) -> None:
    # Its configuration was changed while it was armed.
    home.arm()
    home.override(Override(mode="charge", power_kw=2, until=START + 8 * SLOT))
    assert home.turn() is False
    assert home.turn(SLOT) is False
    assert inverter.written == []
    try_device(home, via, HOLDS, CHARGES, EXPORTS)
    home.turn()
    assert inverter.mode == "charge"


def test_a_device_is_handed_back_whose_trial_counts_no_longer(
    home: Home, via: Via, inverter: SimulatedInverter
) -> None:
    try_device(home, via, HOLDS, CHARGES, EXPORTS)
    arm(home)
    home.override(Override(mode="charge", power_kw=2, until=START + 8 * SLOT))
    home.turn()
    assert inverter.image.value("ems_mode") == CHARGING
    try_device(home, via, HOLDS, TURNED, EXPORTS)
    home.turn()
    assert inverter.image.value("ems_mode") == BY_ITSELF


@pytest.mark.parametrize(
    ("steps", "counts"),
    [
        ((HOLDS, CHARGES, EXPORTS), True),
        ((HOLDS, CHARGES, SERVES), True),
        ((HOLDS, FULL, SERVES), False),
        ((HOLDS, TURNED, EXPORTS), False),
        ((HOLDS,), False),
    ],
    ids=["both ways", "one way", "full", "turned round", "held"],
)
def test_a_trial_counts_that_moved_the_battery_as_commanded(
    home: Home, via: Via, steps: tuple[TrialStep, ...], counts: bool
) -> None:
    try_device(home, via, *steps)
    assert is_untried(home, via) is not counts


def test_a_full_battery_takes_no_earlier_trial_back(home: Home, via: Via) -> None:
    try_device(home, via, HOLDS, CHARGES, EXPORTS)
    try_device(home, via, HOLDS, FULL, SERVES)
    assert not is_untried(home, via)


@pytest.mark.parametrize(
    "change",
    [{"host": "192.0.2.9"}, {"unit": 7}, {"prefix": "other"}],
    ids=["address", "unit", "topics"],
)
def test_a_trial_counts_for_the_very_device(
    home: Home, via: Via, change: dict[str, str | int]
) -> None:
    try_device(home, via, HOLDS, CHARGES, EXPORTS)
    assert is_untried(home, via.model_copy(update=change))
    assert not is_untried(home, via.model_copy(update={"secret": "new"}))


def test_a_device_with_its_maker_s_paper_needs_no_trial(home: Home) -> None:
    known = Via(profile="sungrow_sh", host="192.0.2.1")
    assert not is_untried(home, known)
    with unit_of_work(home.database) as connection:
        assert device_trials.find(connection, known) is None


def test_a_roof_by_its_owner_s_own_profile_is_read_until_it_gave_half(
    home: Home, tmp_path: Path
) -> None:
    paper = (PACKAGED / "sunspec_inverter.yaml").read_text(encoding="utf-8")
    own = tmp_path / OWN_FOLDER / "own_roof.yaml"
    own.parent.mkdir(parents=True)
    text = paper.replace("sunspec_inverter", "own_roof").replace("kind: maker", "kind: simulator")
    own.write_text(text, encoding="utf-8")
    roof = Via(profile="own_roof", host="192.0.2.3")
    limited = CommandStep("limit", "right", 900.0, 16.0, is_forced=True)
    freed = CommandStep("free", "right", 1900.0, 16.0)
    clouded = CommandStep("free", "did_not_move", 400.0, 60.0)
    with unit_of_work(home.database) as connection:
        for steps, untried in (((), True), ((limited, clouded), True), ((limited, freed), False)):
            store_trial(connection, roof, steps, at=START)
            assert bool(find_untried(connection, {"pv": roof}, tmp_path)) is untried
