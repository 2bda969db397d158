"""The executor against a simulated inverter that Luna speaks to itself: followed, lost in
mid-write, commanded by somebody else, handed back.
"""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from luna.contracts.control import BatterySetpoint, Override
from luna.drivers.control.device import DeviceError
from luna.drivers.control.opening import open_device
from luna.drivers.device_server import RegisterServer, serve_registers
from luna.drivers.profiled_device import reach
from luna.drivers.profiles import OWN_FOLDER, PACKAGED, load_profile
from luna.drivers.session import InverterSession
from luna.drivers.simulator import SimulatedInverter
from luna.drivers.write_limits import uncounted
from luna.energy.devices.commands import Via
from luna.energy.site.control import Control
from luna.energy.timeline import SLOT
from luna.platform.settings import Settings
from services.executor.delivery import RESEND, VERIFY
from tests.support.control.executor import BATTERY, START, Home

CHARGE = BatterySetpoint(mode="charge", power_kw=3, target_soc=0.8)
EXPORT = BatterySetpoint(mode="export", power_kw=2, target_soc=0.2)
PROFILE = "sunspec_12x"


def describe(port: int, **parts: Any) -> dict[str, Any]:
    """A section ``control`` for the simulated inverter."""
    return {
        "by": "profile",
        "batteries": [
            {"battery": "battery", "via": {"profile": PROFILE, "host": "127.0.0.1", "port": port}}
        ],
    } | parts


@pytest.fixture
def inverter() -> SimulatedInverter:
    return SimulatedInverter(load_profile(PROFILE, Path("/nonexistent")))


@pytest.fixture
def server(inverter: SimulatedInverter) -> Iterator[RegisterServer]:
    with serve_registers(inverter) as server:
        yield server


@contextmanager
def live_at(database: Engine, port: int, folder: Path) -> Iterator[Home]:
    settings = Settings(data_folder=folder)
    home = Home(database, lambda control: open_device(settings, control, uncounted), describe(port))
    home.arm()
    with closing(home):
        yield home


@pytest.fixture
def armed(database: Engine, server: RegisterServer, tmp_path: Path) -> Iterator[Home]:
    with live_at(database, server.port, tmp_path) as home:
        yield home


def test_the_slot_that_is_now_is_sent_and_confirmed(
    armed: Home, inverter: SimulatedInverter
) -> None:
    plan_id = armed.plan(CHARGE, EXPORT)
    assert armed.turn() is False
    assert inverter.mode == "charge"
    [entry] = armed.log
    assert (entry.plan_id, entry.reason) == (plan_id, "planned")
    assert entry.confirmed is not None
    assert entry.confirmed["profile:battery"].startswith("charge power_kw=3 target_soc=0.8")
    armed.turn(SLOT)
    assert inverter.mode == "export"


def test_a_confirmed_slot_is_written_once_and_read_back_each_minute(
    armed: Home, inverter: SimulatedInverter
) -> None:
    armed.plan(BatterySetpoint(mode="save"), BatterySetpoint(mode="save"))
    armed.turn()
    written = len(inverter.written)
    armed.turn(VERIFY)
    armed.turn(SLOT)
    assert len(inverter.written) == written
    assert armed.outcomes == [("planned", "save", True)] * 2


def test_a_command_that_breaks_off_in_mid_write_is_sent_again(
    armed: Home, inverter: SimulatedInverter, server: RegisterServer
) -> None:
    armed.plan(CHARGE)
    server.faults.writes_taken = 1
    assert armed.turn() is True
    server.faults.writes_taken = None
    assert armed.turn(RESEND.first) is False
    assert (inverter.mode, armed.outcomes) == ("charge", [("planned", "charge", True)])


def test_an_inverter_that_is_away_is_taken_back_and_tried_again_in_the_next_slot(
    database: Engine, inverter: SimulatedInverter, tmp_path: Path
) -> None:
    with serve_registers(inverter) as server:
        port = server.port
    with live_at(database, port, tmp_path) as armed:
        armed.plan(*[BatterySetpoint(mode="hold")] * 4)
        for _ in range(8):
            armed.turn(RESEND.first)
        # Nobody knows how full it is: what it falls back to holds as well.
        assert armed.outcomes == [("planned", "hold", False), ("not_acknowledged", "hold", False)]
        with serve_registers(inverter, port=port):
            armed.turn(SLOT)
            assert inverter.mode == "hold"


def describe_two(*servers: RegisterServer) -> dict[str, Any]:
    """A section ``control`` for the first batteries of a home with two."""
    vias = [{"profile": PROFILE, "host": "127.0.0.1", "port": server.port} for server in servers]
    return {
        "by": "profile",
        "batteries": [
            {"battery": name, "via": via}
            for name, via in zip(("first", "second"), vias, strict=False)
        ],
    }


@contextmanager
def charging_two(
    database: Engine, servers: tuple[RegisterServer, RegisterServer], folder: Path
) -> Iterator[Home]:
    """An armed home whose owner has both batteries charge for a quarter-hour."""
    settings = Settings(data_folder=folder)
    batteries = [BATTERY | {"name": name} for name in ("first", "second")]
    home = Home(
        database,
        lambda control: open_device(settings, control, uncounted),
        describe_two(*servers),
        batteries=batteries,
    )
    with closing(home):
        home.arm()
        home.override(Override(mode="charge", power_kw=2, until=START + SLOT))
        assert home.turn() is False
        assert [server.device.mode for server in servers] == ["charge", "charge"]
        yield home


def test_a_battery_that_is_away_keeps_no_other_from_its_command(
    database: Engine, inverter: SimulatedInverter, server: RegisterServer, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        with serve_registers(SimulatedInverter(inverter.profile)) as away:
            home = stack.enter_context(charging_two(database, (away, server), tmp_path))
        home.disarm()
        home.turn(timedelta(minutes=1))
        assert inverter.mode == "self_consumption"


def test_a_battery_that_is_away_hides_no_other_from_the_next_decision(
    database: Engine, inverter: SimulatedInverter, server: RegisterServer, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        with serve_registers(SimulatedInverter(inverter.profile)) as away:
            home = stack.enter_context(charging_two(database, (away, server), tmp_path))
        home.turn(SLOT)
        # Of a battery that is away nobody knows how full it is; the other one runs by itself.
        assert inverter.mode == "self_consumption"
        for _ in range(2 * RESEND.tries):
            home.turn(RESEND.first)
        assert [each["mode"] for each in home.log[-1].allowed.values()] == [
            "hold",
            "self_consumption",
        ]


@pytest.mark.parametrize(
    ("kept", "is_away"), [(2, False), (1, False), (2, True)], ids=["section", "site", "away"]
)
def test_a_battery_that_is_taken_out_is_handed_back_if_it_answers_and_the_other_goes_on(
    database: Engine,
    inverter: SimulatedInverter,
    server: RegisterServer,
    tmp_path: Path,
    *,
    kept: int,
    is_away: bool,
) -> None:
    removed = SimulatedInverter(inverter.profile)
    with ExitStack() as stack:
        served = stack.enter_context(ExitStack())
        home = stack.enter_context(
            charging_two(
                database, (server, served.enter_context(serve_registers(removed))), tmp_path
            )
        )
        if is_away:
            served.close()
        home.parts["batteries"] = home.parts["batteries"][:kept]
        home.configure(describe_two(server))
        for _ in range(5):
            home.turn(RESEND.first)
        assert (removed.mode, inverter.mode) == (
            "charge" if is_away else "self_consumption",
            "charge",
        )
        assert set(home.log[-1].allowed) == {"first"}


def test_a_battery_that_is_reached_elsewhere_is_handed_back_where_it_was(
    armed: Home, inverter: SimulatedInverter
) -> None:
    armed.plan(CHARGE)
    armed.turn()
    moved = SimulatedInverter(inverter.profile)
    with serve_registers(moved) as elsewhere:
        armed.configure(describe(elsewhere.port))
        for _ in range(2):
            armed.turn(timedelta(seconds=5))
        assert (inverter.mode, moved.mode) == ("self_consumption", "charge")


def test_a_battery_whose_former_profile_is_gone_goes_on_with_the_new_one(
    database: Engine, inverter: SimulatedInverter, server: RegisterServer, tmp_path: Path
) -> None:
    own = tmp_path / OWN_FOLDER / "mine.yaml"
    own.parent.mkdir(parents=True)
    own.write_text(
        (PACKAGED / f"{PROFILE}.yaml")
        .read_text(encoding="utf-8")
        .replace(f"profile: {PROFILE}", "profile: mine"),
        encoding="utf-8",
    )
    section = describe(server.port)
    former = {
        "by": "profile",
        "batteries": [
            {"battery": "battery", "via": section["batteries"][0]["via"] | {"profile": "mine"}}
        ],
    }
    with closing(
        Home(
            database,
            lambda control: open_device(Settings(data_folder=tmp_path), control, uncounted),
            former,
        )
    ) as home:
        home.arm()
        home.plan(EXPORT, CHARGE)
        home.turn()
        own.unlink()
        home.configure(section)
        home.start()
        assert home.turn(SLOT) is False
        assert inverter.mode == "charge"


def test_somebody_else_who_commands_it_is_overruled_and_planned_around(
    armed: Home, inverter: SimulatedInverter, server: RegisterServer
) -> None:
    armed.plan(CHARGE)
    armed.turn()
    via = Via(profile=PROFILE, host="127.0.0.1", port=server.port)
    with closing(InverterSession(reach(inverter.profile, via), look_seconds=1e6)) as other:
        other.command(BatterySetpoint(mode="hold"))
    assert inverter.mode == "hold"
    assert armed.turn(VERIFY) is True
    assert armed.turn(timedelta(seconds=1)) is False
    assert (inverter.mode, armed.asked) == ("charge", [armed.name])


def test_an_executor_that_begins_anew_takes_the_slot_up_again(
    armed: Home, inverter: SimulatedInverter
) -> None:
    armed.plan(CHARGE, CHARGE)
    armed.turn()
    inverter.reboot()
    armed.start()
    armed.turn(VERIFY)
    armed.turn(timedelta(seconds=1))
    assert inverter.mode == "charge"


def test_disarming_hands_it_back(armed: Home, inverter: SimulatedInverter) -> None:
    armed.plan(*[CHARGE] * 4)
    armed.turn()
    armed.disarm()
    armed.turn(timedelta(minutes=1))
    assert (inverter.mode, armed.outcomes[-1]) == (
        "self_consumption",
        ("disarmed", "self_consumption", True),
    )


@pytest.mark.parametrize("mode", ["self_consumption", "save", "supply", "hold", "charge", "export"])
def test_each_mode_that_an_owner_asks_for_is_done(
    armed: Home, inverter: SimulatedInverter, mode: str
) -> None:
    armed.plan(BatterySetpoint(mode="self_consumption"))
    armed.override(Override.model_validate({"mode": mode, "power_kw": 2, "until": START + SLOT}))
    armed.turn()
    assert inverter.mode == mode


def test_beside_home_assistant_each_goes_its_own_way(tmp_path: Path) -> None:
    battery = {"battery": "battery", "via": {"profile": PROFILE, "host": "127.0.0.1", "port": 1}}
    car = {
        "vehicle": "car",
        "modes": {"charge": "on", "stop": "off"},
        "writes": [{"to": "switch.car", "value": "{mode}"}],
    }
    control = Control.model_validate(
        {"by": "home_assistant", "batteries": [battery], "vehicles": [car]}
    )
    settings = Settings(
        data_folder=tmp_path, home_assistant_url="http://127.0.0.1:1", home_assistant_token="t"
    )
    with closing(open_device(settings, control, uncounted)) as device:
        # Neither is there: the fault says which of them was asked.
        with pytest.raises(DeviceError) as silent:
            device.read(["profile:battery#soc"])
        with pytest.raises(DeviceError) as away:
            device.read(["switch.car"])
    assert (silent.value.field, silent.value.reason) == ("profile:battery#soc", "device-silent")
    assert (away.value.field, away.value.reason) == ("home_assistant", None)
