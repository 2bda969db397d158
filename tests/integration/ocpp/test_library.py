"""Charge points by the protocol's own library, in both versions of OCPP."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ocpp.routing import on
from ocpp.v16 import ChargePoint as ChargePoint16
from ocpp.v16 import call as call16
from ocpp.v16 import call_result as result16
from ocpp.v201 import ChargePoint as ChargePoint201
from ocpp.v201 import call as call201
from ocpp.v201 import call_result as result201
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.support.charge_points.central import Central, run_with_central, wait_until

EVSE = {"id": 1, "connector_id": 1}


class Wallbox16(ChargePoint16):
    """A charge point of the library's, which checks all messages by their schemas."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.profiles: list[dict[str, Any]] = []
        self.settings: dict[str, str] = {}

    @on("GetConfiguration")
    def list_settings(self, **_: Any) -> Any:
        return result16.GetConfiguration(configuration_key=[], unknown_key=[])

    @on("ChangeConfiguration")
    def change_setting(self, key: str, value: str) -> Any:
        self.settings[key] = value
        return result16.ChangeConfiguration(status="Accepted")

    @on("SetChargingProfile")
    def set_profile(self, connector_id: int, cs_charging_profiles: dict[str, Any]) -> Any:
        self.profiles.append(cs_charging_profiles)
        return result16.SetChargingProfile(status="Accepted")

    @on("ClearChargingProfile")
    def clear_profile(self, **_: Any) -> Any:
        self.profiles.clear()
        return result16.ClearChargingProfile(status="Accepted")

    @on("TriggerMessage")
    def send_message(self, **_: Any) -> Any:
        return result16.TriggerMessage(status="NotImplemented")


class Station201(ChargePoint201):
    """A charging station of the library's."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.profiles: list[dict[str, Any]] = []
        self.variables: dict[str, str] = {}
        self.started: list[dict[str, Any]] = []
        self.stopped: list[str] = []
        self.refuses_zero = False

    @on("GetVariables")
    def read_variables(self, get_variable_data: list[dict[str, Any]]) -> Any:
        results = []
        for question in get_variable_data:
            result = {**question, "attribute_status": "UnknownVariable"}
            if question["variable"]["name"] == "ProfileStackLevel":
                result |= {"attribute_status": "Accepted", "attribute_value": "3"}
            results.append(result)
        return result201.GetVariables(get_variable_result=results)

    @on("SetVariables")
    def set_variables(self, set_variable_data: list[dict[str, Any]]) -> Any:
        results = []
        for entry in set_variable_data:
            self.variables[entry["variable"]["name"]] = entry["attribute_value"]
            results.append(
                {
                    "attribute_status": "Accepted",
                    "component": entry["component"],
                    "variable": entry["variable"],
                }
            )
        return result201.SetVariables(set_variable_result=results)

    @on("SetChargingProfile")
    def set_profile(self, evse_id: int, charging_profile: dict[str, Any]) -> Any:
        [schedule] = charging_profile["charging_schedule"]
        period = schedule["charging_schedule_period"][0]
        if self.refuses_zero and not period["limit"]:
            return result201.SetChargingProfile(
                status="Rejected", status_info={"reason_code": "TooLow"}
            )
        self.profiles.append(charging_profile)
        return result201.SetChargingProfile(status="Accepted")

    @on("RequestStartTransaction")
    def start_transaction(self, **request: Any) -> Any:
        self.started.append(request)
        return result201.RequestStartTransaction(status="Accepted")

    @on("RequestStopTransaction")
    def stop_transaction(self, transaction_id: str) -> Any:
        self.stopped.append(transaction_id)
        return result201.RequestStopTransaction(status="Accepted")

    @on("TriggerMessage")
    def send_message(self, **_: Any) -> Any:
        return result201.TriggerMessage(status="Accepted")

    async def tell(self, kind: str, seq_no: int, state: str, wh: float, **more: Any) -> Any:
        """Report on the session ``s1``."""
        value = {
            "timestamp": datetime.now(UTC).isoformat(),
            "sampled_value": [
                {
                    "value": wh / 1000,
                    "measurand": "Energy.Active.Import.Register",
                    "unit_of_measure": {"unit": "kWh"},
                },
                {"value": 6.9, "measurand": "Power.Active.Import",
                 "unit_of_measure": {"unit": "W", "multiplier": 3}},
                *(
                    {"value": 10.0, "measurand": "Current.Import", "phase": phase}
                    for phase in ("L1", "L2", "L3")
                ),
            ],
        }  # fmt: skip
        return await self.call(
            call201.TransactionEvent(
                event_type=kind,
                timestamp=datetime.now(UTC).isoformat(),
                trigger_reason="MeterValuePeriodic",
                seq_no=seq_no,
                transaction_info={"transaction_id": "s1", "charging_state": state},
                evse=EVSE,
                meter_value=[value],
                **more,
            )
        )


@asynccontextmanager
async def connect_as(kind: Any, central: Central, protocol: str) -> AsyncIterator[Any]:
    url = f"ws://127.0.0.1:{central.port}/ocpp/garage"
    async with connect(url, subprotocols=[Subprotocol(protocol)], proxy=None) as socket:
        assert socket.subprotocol == protocol
        point = kind("garage", socket)
        serving = asyncio.create_task(point.start())
        try:
            yield point
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)


def test_the_librarys_charge_point_is_set_by_1_6(tmp_path: Path) -> None:
    async def test(central: Central) -> None:
        async with connect_as(Wallbox16, central, "ocpp1.6") as wallbox:
            boot = await wallbox.call(
                call16.BootNotification(charge_point_model="M", charge_point_vendor="Library")
            )
            assert boot.status == "Accepted"
            reached = central.reach("garage", rate_unit="A")
            await reached.write(set_current_a=10, set_phases=3, set_charging=1)
            [profile] = wallbox.profiles
            period, last = profile["charging_schedule"]["charging_schedule_period"]
            assert (period["limit"], period["number_phases"]) == (10, 3)
            assert (last["start_period"], last["limit"]) == (1800, 6)
            assert wallbox.settings["MeterValueSampleInterval"] == "10"
            begun = await wallbox.call(
                call16.StartTransaction(
                    connector_id=1, id_tag="card", meter_start=5, timestamp="2026-01-01T00:00:00Z"
                )
            )
            assert begun.transaction_id > 0
            await reached.write(set_own=1)
            assert wallbox.profiles == []

    run_with_central(test, tmp_path)


def test_the_librarys_station_is_read_and_set_by_2_0_1(tmp_path: Path) -> None:
    async def test(central: Central) -> None:
        async with connect_as(Station201, central, "ocpp2.0.1") as station:
            boot = await station.call(
                call201.BootNotification(
                    charging_station={"vendor_name": "Library", "model": "M"}, reason="PowerUp"
                )
            )
            assert boot.status == "Accepted"
            assert central.list()["garage"].protocol == "2.0.1"
            reached = central.reach("garage", remote_start=True)
            await reached.write(set_current_a=10, set_phases=1, set_charging=1)
            profile = station.profiles[-1]
            assert profile["stack_level"] == 3
            [schedule] = profile["charging_schedule"]
            period, last = schedule["charging_schedule_period"]
            assert (period["limit"], period["number_phases"]) == (10, 1)
            assert (last["start_period"], last["limit"]) == (1800, 6)
            assert station.variables["TxUpdatedInterval"] == "10"

            await station.call(
                call201.StatusNotification(
                    timestamp=datetime.now(UTC).isoformat(),
                    connector_status="Occupied",
                    evse_id=1,
                    connector_id=1,
                )
            )
            await wait_until(lambda: bool(station.started))
            token = {"id_token": "luna", "type": "Central"}
            assert station.started[0]["id_token"] == token
            await station.tell("Started", 0, "EVConnected", 1000, id_token=token)
            await station.tell("Updated", 1, "Charging", 3500)
            names = ("power_w", "session_kwh", "energy_kwh", "phases", "car_state")
            assert await reached.read(*names) == {
                "power_w": pytest.approx(6900),
                "session_kwh": 2.5,
                "energy_kwh": 3.5,
                "phases": 3,
                "car_state": 2,
            }
            # The same end twice, and a begin that comes again.
            await station.tell("Ended", 2, "EVConnected", 4000)
            await station.tell("Ended", 2, "EVConnected", 4000)
            await station.tell("Started", 0, "EVConnected", 1000, offline=True)
            values = await reached.read("session_kwh", "car_state")
            assert values == {"session_kwh": 3.0, "car_state": 1}
            [kept] = (tmp_path / "devices" / "ocpp").glob("*.json")
            assert kept.read_text().count('"number"') == 1

    run_with_central(test, tmp_path)


def test_a_station_that_comes_back_by_2_0_1_gets_its_limit_again(tmp_path: Path) -> None:
    boot = call201.BootNotification(
        charging_station={"vendor_name": "Library", "model": "M"}, reason="PowerUp"
    )

    async def test(central: Central) -> None:
        reached = central.reach("garage")
        async with connect_as(Station201, central, "ocpp2.0.1") as station:
            await station.call(boot)
            await reached.write(set_current_a=10, set_phases=3, set_charging=1)
        await wait_until(lambda: not central.list()["garage"].connected)
        async with connect_as(Station201, central, "ocpp2.0.1") as restarted:
            await restarted.call(boot)
            await wait_until(lambda: bool(restarted.profiles))
            [schedule] = restarted.profiles[-1]["charging_schedule"]
            assert schedule["charging_schedule_period"][0]["limit"] == 10

    run_with_central(test, tmp_path)


def test_a_wrong_payload_of_2_0_1_is_refused_and_the_connection_goes_on(tmp_path: Path) -> None:
    wrong = (
        ("TransactionEvent", {}),
        ("TransactionEvent", {"eventType": "Started", "timestamp": 7, "transactionInfo": []}),
        ("StatusNotification", {"connectorStatus": None, "evseId": "x"}),
        ("BootNotification", {"chargingStation": "wallbox"}),
        ("NotifyReport", {"requestId": -1}),
    )

    async def test(central: Central) -> None:
        url = f"ws://127.0.0.1:{central.port}/ocpp/garage"
        async with connect(url, subprotocols=[Subprotocol("ocpp2.0.1")], proxy=None) as socket:

            async def answer(number: str, action: str, payload: Any) -> list[Any]:
                await socket.send(json.dumps([2, number, action, payload]))
                while True:
                    message: list[Any] = json.loads(await socket.recv())
                    if message[1] == number:
                        return message

            for action, payload in wrong:
                kind, _, *rest = await answer("wrong", action, payload)
                assert (kind, bool(rest[0])) == (4, True), (action, payload)
            kind, _, beat = await answer("well", "Heartbeat", {})
            assert (kind, list(beat)) == (3, ["currentTime"])

    run_with_central(test, tmp_path)


def test_a_station_that_takes_no_zero_ends_its_session(tmp_path: Path) -> None:
    async def test(central: Central) -> None:
        async with connect_as(Station201, central, "ocpp2.0.1") as station:
            station.refuses_zero = True
            await station.call(
                call201.BootNotification(
                    charging_station={"vendor_name": "Library", "model": "M"}, reason="PowerUp"
                )
            )
            await station.tell("Started", 0, "Charging", 1000)
            await central.reach("garage").write(set_charging=0)
            assert station.stopped == ["s1"]

    run_with_central(test, tmp_path)
