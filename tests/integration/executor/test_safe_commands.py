"""Commands that spare a device's memory, and devices that take commands and do something else: left
alone, said, and tried again.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from luna.contracts.control import BatterySetpoint, Override
from luna.drivers.control.device import Device
from luna.drivers.control.opening import open_device
from luna.drivers.control.profile import ProfileDevice
from luna.drivers.device_server import RegisterServer, serve_registers
from luna.drivers.profiled_device import reach
from luna.drivers.profiles import OWN_FOLDER, PACKAGED, load_profile
from luna.drivers.session import InverterSession
from luna.drivers.simulator import SimulatedInverter
from luna.drivers.write_limits import WRITES_PER_DAY
from luna.energy.devices.commands import Via
from luna.energy.timeline import SLOT
from luna.house import findings
from luna.house.control_service import read_states
from luna.platform.database.device_writes import StoredWrites
from luna.platform.database.engine import unit_of_work
from luna.platform.settings import Settings
from tests.support.control.executor import START, Home
from tests.support.planning.plans import describe_plan

CHARGE = BatterySetpoint(mode="charge", power_kw=3, target_soc=0.9)
EXPORT = BatterySetpoint(mode="export", power_kw=3, target_soc=0.1)
HOLD = BatterySetpoint(mode="hold")
DAY = timedelta(days=1)


def write_flash_profile(folder: Path) -> str:
    """Store a product that keeps every written point in flash, and stays as it is when nobody
    commands it; return its name.
    """
    text = (PACKAGED / "sunspec_12x.yaml").read_text()
    for before, after in (
        ("profile: sunspec_12x", "profile: flash"),
        ("persistence: volatile", "persistence: flash"),
        ("persistence: unknown", "persistence: flash"),
        ("reverts: {after_s: 180, resend_s: 60}", "reverts: {after_s: null}"),
    ):
        assert before in text
        text = text.replace(before, after)
    (folder / OWN_FOLDER).mkdir(parents=True)
    (folder / OWN_FOLDER / "flash.yaml").write_text(text)
    return "flash"


def plan_for_an_hour(home: Home, *setpoints: BatterySetpoint) -> None:
    home.plan(*setpoints, at=home.clock.now())


def find(home: Home) -> list[findings.SiteFinding]:
    with unit_of_work(home.database) as connection:
        states = read_states(connection, home.name, now=home.clock.now())
        found = findings.find(
            connection,
            home.site(None),
            plan=None,
            states=states,
            plan_max_age=DAY,
            now=home.clock.now(),
        )
    return [each for each in found if each.code.startswith("device")]


class FlashHome(Home):
    """A home whose battery's inverter keeps every write in flash.

    The writes of each register are counted by the simulator, with their instants.
    """

    def __init__(
        self, database: Engine, folder: Path, server: RegisterServer, inverter: SimulatedInverter
    ) -> None:
        settings = Settings(data_folder=folder)
        via = {"profile": "flash", "host": "localhost", "port": server.port}

        def open_counted(control: object) -> Device:
            return open_device(
                settings,
                control,
                lambda address: StoredWrites(database, self.clock, f"{self.name} {address}"),
            )  # type: ignore[arg-type]

        super().__init__(
            database,
            open_counted,
            {"by": "profile", "batteries": [{"battery": "battery", "via": via}]},
        )
        self.inverter, self.written = inverter, dict[int, list[float]]()

    def live(self) -> None:
        """Run the control steps of a quarter-hour."""
        before = len(self.inverter.written)
        while self.turn():
            self.clock.instant += timedelta(seconds=1)
        for address, _ in self.inverter.written[before:]:
            self.written.setdefault(address, []).append(self.clock.instant.timestamp())
        self.clock.instant = self.clock.instant.replace(second=0) + SLOT


@pytest.fixture
def flash_home(database: Engine, tmp_path: Path) -> Iterator[FlashHome]:
    inverter = SimulatedInverter(
        load_profile(write_flash_profile(tmp_path), tmp_path), now=lambda: 0.0
    )
    with (
        serve_registers(inverter) as server,
        closing(FlashHome(database, tmp_path, server, inverter)) as home,
    ):
        home.arm()
        yield home


def test_no_point_in_flash_is_written_more_often_than_it_bears_however_plans_flap_and_executors_die(
    flash_home: FlashHome,
) -> None:
    # A day is spent, and the next one has begun.
    for hour in range(10):
        plan_for_an_hour(flash_home, CHARGE, EXPORT, CHARGE, EXPORT)
        for _ in range(4):
            flash_home.live()
        if hour % 5 == 0:
            flash_home.start()
        if hour == 5:
            flash_home.clock.instant += timedelta(hours=17)
    for written in flash_home.written.values():
        within = [
            sum(1 for other in written if at - DAY.total_seconds() < other <= at) for at in written
        ]
        assert max(within) <= WRITES_PER_DAY
    # What could be written was.
    assert max(map(len, flash_home.written.values())) > WRITES_PER_DAY


def test_a_device_that_is_spared_is_handed_back_and_its_owner_is_told_until_when(
    flash_home: FlashHome,
) -> None:
    for _ in range(5):
        plan_for_an_hour(flash_home, CHARGE, EXPORT, CHARGE, EXPORT)
        for _ in range(4):
            flash_home.live()
    assert flash_home.inverter.mode == "self_consumption"
    [finding] = find(flash_home)
    # The first of sixteen was written when the day began: a day after it there is room for one.
    assert (finding.code, finding.figures["until"]) == ("device_spared", START + DAY)
    # An owner's wish spends no more either.
    flash_home.override(Override(mode="charge", power_kw=2, until=flash_home.clock.now() + SLOT))
    flash_home.live()
    assert flash_home.inverter.mode == "self_consumption"
    assert flash_home.log[-1].reason == "writes_spent"


def test_what_holds_already_costs_no_write(flash_home: FlashHome) -> None:
    for _ in range(3):
        plan_for_an_hour(flash_home, HOLD, HOLD, HOLD, HOLD)
        for _ in range(4):
            flash_home.live()
    assert {
        address: len(written) for address, written in flash_home.written.items()
    } == dict.fromkeys(flash_home.written, 1)


def test_a_network_that_is_cut_is_said_tried_less_and_less_often_and_followed_once_it_is_back(
    database: Engine, tmp_path: Path
) -> None:
    inverter = SimulatedInverter(
        load_profile(write_flash_profile(tmp_path), tmp_path), now=lambda: 0.0
    )
    with serve_registers(inverter) as server:
        home = FlashHome(database, tmp_path, server, inverter)
    with closing(home):
        home.arm()
        home.plan(*[CHARGE] * 12)
        found: list[str] = []
        for _ in range(4):
            home.turn()
            while home.turn(timedelta(seconds=30)):
                pass
            [finding] = find(home)
            found.append(f"{finding.code} until {finding.figures['until']:%H:%M}")
            home.clock.instant = (
                home.clock.now().replace(minute=home.clock.now().minute // 15 * 15, second=0) + SLOT
            )
        # A quarter of an hour, then half an hour from the second try on, then an hour from the
        # third.
        assert found == [f"device_silent until {at}" for at in ("12:15", "12:45", "12:45", "13:45")]
        with serve_registers(inverter, port=server.port):
            home.clock.instant = START + timedelta(hours=1, minutes=45)
            home.live()
            assert (inverter.mode, find(home)) == ("charge", [])


def plan_slot(home: Home, setpoint: BatterySetpoint, gain: float) -> None:
    """Store a plan of an hour, whose slots gain so much over their opposite."""
    plan = describe_plan(
        f"{home.name}-{home.clock.now().isoformat()}", home.clock.now(), [setpoint] * 4
    )
    slots = [
        slot.model_copy(
            update={"reason": slot.reason.model_copy(update={"cost_of_opposite": gain})}
        )
        for slot in plan.slots
    ]
    home.store(plan.model_copy(update={"slots": slots}))


# Keeping a mode and counting writes are tested one by one as well.
@pytest.mark.long
def test_of_a_day_of_plans_that_flap_only_what_pays_is_told_to_flash(flash_home: FlashHome) -> None:
    """Ninety-six plans: six hours of each mode that gain 4 cents a quarter-hour, which forecasts
    overturn in two of five by half a cent at most.
    """
    modes = [
        BatterySetpoint.model_validate({"mode": mode})
        for mode in ("hold", "self_consumption", "save", "supply")
    ]
    chance = np.random.default_rng(7)
    forgone = 0.0
    wanted: list[str] = []
    for slot in range(96):
        settled = modes[slot // 24]
        flapping = modes[int(chance.integers(4))]
        setpoint, gain = (
            (flapping, float(chance.uniform(0, 0.005)))
            if chance.random() < 0.4
            else (settled, 0.04)
        )
        plan_slot(flash_home, setpoint, gain)
        flash_home.live()
        wanted.append(setpoint.mode)
        entry = flash_home.log[-1]
        assert entry.reason in {"planned", "mode_kept"}
        forgone += gain if entry.reason == "mode_kept" else 0.0
    assert sum(one != other for one, other in pairwise(wanted)) > 2 * WRITES_PER_DAY
    assert max(map(len, flash_home.written.values())) <= WRITES_PER_DAY
    # Each of four modes is taken after two slots of 4 cents at the latest, and what flaps gains
    # little: 0.3 EUR of the 2.4 that all slots gain.
    assert forgone < 0.3


def test_changes_are_cheap_while_many_are_left_and_dear_towards_the_last(
    flash_home: FlashHome,
) -> None:
    for slot in range(12):
        plan_slot(flash_home, (HOLD, BatterySetpoint(mode="save"))[slot % 2], 0.002)
        flash_home.live()
    reasons = [entry.reason for entry in flash_home.log]
    # A change has to gain 0.2 cents once a third of a day's sixteen are used.
    assert reasons[:5] == ["planned"] * 5
    assert "mode_kept" in reasons
    # What gains ten cents is not missed for them.
    plan_slot(flash_home, CHARGE, 0.1)
    flash_home.live()
    assert (flash_home.inverter.mode, flash_home.log[-1].reason) == ("charge", "planned")


def test_what_is_kept_is_said_and_trade_ends_with_its_plan(flash_home: FlashHome) -> None:
    plan_slot(flash_home, HOLD, 0.01)
    flash_home.live()
    plan_slot(flash_home, CHARGE, 0.0003)
    flash_home.live()
    assert (flash_home.inverter.mode, flash_home.log[-1].reason) == ("hold", "mode_kept")
    assert [finding.code for finding in find(flash_home)] == ["device_kept"]
    # With one of sixteen used a change has to gain 0.05 cents.
    flash_home.live()
    assert (flash_home.inverter.mode, flash_home.log[-1].reason) == ("charge", "planned")
    plan_slot(flash_home, HOLD, 0.0)
    flash_home.live()
    assert (flash_home.inverter.mode, flash_home.log[-1].reason) == ("hold", "planned")


def test_a_mode_is_kept_without_the_limits_of_a_slot_that_is_over(flash_home: FlashHome) -> None:
    plan_slot(flash_home, BatterySetpoint(mode="self_consumption", floor_soc=0.4), 0.01)
    flash_home.live()
    plan_slot(flash_home, HOLD, 0.0003)
    flash_home.live()
    entry = flash_home.log[-1]
    assert (
        entry.reason,
        entry.requested["battery"]["mode"],
        entry.allowed["battery"]["floor_soc"],
    ) == ("mode_kept", "self_consumption", 0.1)


def test_what_a_limit_makes_of_a_mode_is_what_is_kept(flash_home: FlashHome) -> None:
    # Half full, and kept for later: the battery stores alone.
    plan_slot(flash_home, BatterySetpoint(mode="self_consumption", floor_soc=0.6), 0.01)
    flash_home.live()
    plan_slot(flash_home, BatterySetpoint(mode="self_consumption", floor_soc=0.3), 0.0003)
    flash_home.live()
    assert (flash_home.inverter.mode, flash_home.log[-1].reason) == ("save", "mode_kept")
    # The same in other words is no change.
    plan_slot(flash_home, BatterySetpoint(mode="save"), 0.01)
    flash_home.live()
    assert (flash_home.inverter.mode, flash_home.log[-1].reason) == ("save", "planned")


def test_limits_that_can_be_written_no_more_are_said(flash_home: FlashHome) -> None:
    for _ in range(4):
        plan_for_an_hour(flash_home, CHARGE, EXPORT, CHARGE, EXPORT)
        for _ in range(4):
            flash_home.live()
    plan_slot(flash_home, BatterySetpoint(mode="self_consumption", floor_soc=0.6), 1.0)
    flash_home.live()
    assert (flash_home.inverter.mode, flash_home.log[-1].reason) == (
        "self_consumption",
        "writes_spent",
    )
    assert flash_home.log[-1].confirmed is not None
    assert [finding.code for finding in find(flash_home)] == ["device_spared"]


class DeafHome(Home):
    """A home with a battery whose inverter can be made to take commands and do something else.

    Time passes for both as the test says.
    """

    def __init__(self, database: Engine, inverter: SimulatedInverter, port: int) -> None:
        self.inverter = inverter
        via = {"profile": "sunspec_12x", "host": "127.0.0.1", "port": port}
        # Looks when the test says so.
        self.session = InverterSession(
            reach(inverter.profile, Via.model_validate(via)), now=self.seconds, look_seconds=1e6
        )
        open_it: Callable[[object], Device] = lambda _: ProfileDevice(  # noqa: E731
            {"profile:battery": self.session}
        )
        super().__init__(
            database, open_it, {"by": "profile", "batteries": [{"battery": "battery", "via": via}]}
        )

    def seconds(self) -> float:
        return (self.clock.instant - START).total_seconds() if hasattr(self, "clock") else 0.0

    def live(self, minutes: int) -> None:
        for _ in range(minutes):
            while self.turn():
                self.clock.instant += timedelta(seconds=1)
            for _ in range(3):
                self.clock.instant += timedelta(seconds=20)
                self.session.look()
            self.clock.instant = self.clock.instant.replace(second=0)


@contextmanager
def live_deaf(database: Engine) -> Iterator[DeafHome]:
    started: list[DeafHome] = []
    # A house without sun: self-consumption serves it, charging does not come about by itself.
    inverter = SimulatedInverter(
        load_profile("sunspec_12x", Path("/nonexistent")),
        house=lambda _: (0.5, 0.0),
        now=lambda: started[0].seconds() if started else 0.0,
    )
    with (
        serve_registers(inverter) as server,
        closing(DeafHome(database, inverter, server.port)) as home,
    ):
        started.append(home)
        home.arm()
        yield home


def test_a_device_that_takes_a_command_and_does_something_else_is_left_alone_and_said(
    database: Engine,
) -> None:
    with live_deaf(database) as home:
        home.inverter.deaf = True
        home.plan(*[CHARGE] * 12)
        home.live(3)
        assert home.outcomes == [("planned", "charge", True)]
        home.live(3)
        assert home.outcomes[1] == ("not_followed", "self_consumption", True)
        assert home.inverter.mode == "self_consumption"
        [finding] = find(home)
        assert (finding.code, finding.figures) == (
            "device_disobeys",
            {"device": "batteries", "at": START, "until": START + SLOT},
        )
        # Nothing is sent to it any more.
        written = len(home.inverter.written)
        home.live(8)
        assert len(home.inverter.written) == written


def test_it_is_tried_again_less_and_less_often_and_followed_once_it_obeys(database: Engine) -> None:
    with live_deaf(database) as home:
        home.inverter.deaf = True
        tried: list[int] = []
        for minute in range(0, 120, 15):
            home.plan(*[CHARGE] * 4, at=home.clock.now())
            home.live(1)
            tried += [minute] if home.inverter.mode == "charge" else []
            home.live(5)
            # It is left alone until the quarter-hour ends.
            home.clock.instant += timedelta(minutes=9)
        # After a quarter of an hour, then half an hour, then an hour.
        assert tried == [0, 15, 45, 105]
        home.inverter.deaf = False
        home.plan(*[CHARGE] * 8, at=home.clock.now())
        # An hour after it was tried last.
        home.clock.instant += timedelta(minutes=44)
        home.live(6)
        assert find(home) == []
        assert home.outcomes[-1] == ("planned", "charge", True)
        assert home.inverter.power_kw == pytest.approx(3, abs=0.01)


def test_an_owner_who_wants_something_else_is_followed_at_once(database: Engine) -> None:
    with live_deaf(database) as home:
        home.inverter.deaf = True
        home.plan(*[CHARGE] * 8)
        home.live(6)
        assert home.outcomes[-1][0] == "not_followed"
        home.override(Override(mode="hold", until=START + DAY))
        home.live(1)
        assert home.inverter.mode == "hold"


def test_a_device_that_obeys_is_not_suspected(database: Engine) -> None:
    with live_deaf(database) as home:
        home.plan(
            CHARGE,
            HOLD,
            EXPORT,
            BatterySetpoint(mode="save"),
            BatterySetpoint(mode="supply"),
            BatterySetpoint(mode="self_consumption"),
        )
        for _ in range(6):
            home.live(6)
            # Suspicion comes within six minutes: the rest of the slot is skipped.
            home.clock.instant += timedelta(minutes=9)
        assert [reason for reason, _, _ in home.outcomes] == ["planned"] * 6
