"""Speak OCPP 2.0.1 with a charging station.

Source: Open Charge Alliance, OCPP 2.0.1 edition 2, part 2.
"""

import itertools
import math
from collections.abc import Mapping
from typing import ClassVar

from websockets.asyncio.server import ServerConnection

from luna.contracts.charge_points import ChargePointBoot, ChargePointProtocol
from services.ocpp.charge_point import CAR_STATES, ChargePoint
from services.ocpp.dialect import OcppDialect
from services.ocpp.link import Payload, acknowledge
from services.ocpp.meter_values import read_meter_values
from services.ocpp.texts import clean_text, read_instant
from services.ocpp.transactions import Transaction

_COUNTER = "Energy.Active.Import.Register"
_OCCUPIED = "Occupied"


class Ocpp201(OcppDialect):
    """The messages of OCPP 2.0.1 over one connection; a setting is a component's variable."""

    protocol: ChargePointProtocol = "2.0.1"
    stack_level = "SmartChargingCtrlr.ProfileStackLevel"
    rate_unit = "SmartChargingCtrlr.RateUnit"
    periods = "SmartChargingCtrlr.PeriodsPerSchedule"
    interval = "SampledDataCtrlr.TxUpdatedInterval"
    measurands = "SampledDataCtrlr.TxUpdatedMeasurands"
    ping = "OCPPCommCtrlr.WebSocketPingInterval"
    fixed_settings: ClassVar[Mapping[str, str]] = {
        "SampledDataCtrlr.TxStartedMeasurands": _COUNTER,
        "SampledDataCtrlr.TxEndedMeasurands": _COUNTER,
    }
    most_purpose = "ChargingStationMaxProfile"
    cleared_by = "chargingProfileId"
    socket_field = "evseId"
    composite_field = "schedule"

    def __init__(self, point: ChargePoint, connection: ServerConnection) -> None:
        self._starts = itertools.count(int(point.clock.now().timestamp()) % 1_000_000_000)
        super().__init__(
            point,
            connection,
            answers={
                "Authorize": self._authorize,
                "ClearedChargingLimit": acknowledge,
                "MeterValues": self._meter_values,
                "NotifyChargingLimit": acknowledge,
                "NotifyEvent": acknowledge,
                "NotifyMonitoringReport": acknowledge,
                "NotifyReport": acknowledge,
                "ReportChargingProfiles": acknowledge,
                "StatusNotification": self._status,
                "TransactionEvent": self._transaction,
            },
            lenient=frozenset({"NotifyEvent"}),
        )

    # What it says

    def _authorize(self, payload: Payload) -> Payload:
        return {"idTokenInfo": {"status": self._judge(payload["idToken"]["idToken"])}}

    def _read_boot(self, payload: Payload) -> ChargePointBoot:
        station = payload["chargingStation"]
        return ChargePointBoot(
            vendor=clean_text(station["vendorName"]),
            model=clean_text(station["model"]),
            serial=clean_text(station.get("serialNumber")),
            version=clean_text(station.get("firmwareVersion")),
        )

    def _status(self, payload: Payload) -> Payload:
        if payload["evseId"] != self._point.connector:
            return {}
        status = payload["connectorStatus"]
        # A car is there: whether it charges, its session says better.
        knows_better = CAR_STATES.get(self._point.status) in {1, 2}
        if status != _OCCUPIED or not knows_better:
            self._point.take_status(status)
        return {}

    def _meter_values(self, payload: Payload) -> Payload:
        return self._take_values(payload, socket=payload.get("evseId"))

    def _transaction(self, payload: Payload) -> Payload:
        now = self._point.clock.now()
        info = payload["transactionInfo"]
        number = info["transactionId"]
        evse = payload.get("evse", {}).get("id", self._point.connector)
        sets = read_meter_values(payload.get("meterValue", []), now)
        counters = [measured.energy_wh for measured in sets if not math.isnan(measured.energy_wh)]
        counter = counters[-1] if counters else None
        token = payload.get("idToken")
        at = read_instant(payload["timestamp"], now)
        kind = payload["eventType"]
        if kind == "Started":
            tag = clean_text(token["idToken"]) if token else ""
            self._point.begin(Transaction(number, number, "", evse, tag, at, counter))
        if kind == "Ended":
            reason = clean_text(info.get("stoppedReason")) or "Local"
            self._point.end(
                Transaction(number, "", number, evse, "", None, None, at, counter, reason)
            )
        if evse == self._point.connector:
            self._point.take_measured(sets)
            if not payload.get("offline", False):
                self._take_charging_state(kind, info.get("chargingState"))
        return {"idTokenInfo": {"status": self._judge(token["idToken"])}} if token else {}

    def _take_charging_state(self, kind: str, state: str | None) -> None:
        if state == "Idle":
            # The session goes on without its car.
            self._point.take_status("Available")
        elif kind == "Ended" and self._point.status == "Charging":
            self._point.take_status(_OCCUPIED)
        elif state is not None:
            self._point.take_status(state)

    # What it is sent

    async def ask_boot(self) -> None:
        """Have it say what it is."""
        await self._ask("TriggerMessage", {"requestedMessage": "BootNotification"})

    async def ask_values(self) -> None:
        """Have it send its state and what it measures."""
        evse: Payload = {"id": self._traits.connector, "connectorId": 1}
        await self._ask("TriggerMessage", {"requestedMessage": "StatusNotification", "evse": evse})
        # Without a session there is none to speak of.
        if self._point.transactions.find_open(self._traits.connector) is not None:
            evse = {"id": self._traits.connector}
            await self._ask(
                "TriggerMessage", {"requestedMessage": "TransactionEvent", "evse": evse}
            )

    async def _read_settings(self) -> Mapping[str, str]:
        names = (
            self.stack_level,
            self.rate_unit,
            self.periods,
            self.interval,
            self.measurands,
            *self.fixed_settings,
            self.ping,
        )
        questions = [_name_variable(name) for name in names]
        answer = await self.link.call("GetVariables", {"getVariableData": questions})
        results = answer.get("getVariableResult")
        values: dict[str, str] = {}
        for result in results if isinstance(results, list) else ():
            try:
                name = f"{result['component']['name']}.{result['variable']['name']}"
                if result["attributeStatus"] == "Accepted":
                    values[name] = str(result["attributeValue"])
            except (KeyError, TypeError):
                continue
        return values

    async def _send_setting(self, setting: str, value: str) -> object:
        entry = {"attributeValue": value} | _name_variable(setting)
        answer = await self.link.call("SetVariables", {"setVariableData": [entry]})
        try:
            return answer["setVariableResult"][0]["attributeStatus"]
        except (KeyError, IndexError, TypeError):
            return "no status"

    def _frame_profile(
        self, number: int, socket: int, profile: Payload, schedule: Payload
    ) -> Payload:
        schedules = [{"id": number} | schedule]
        numbered = {"id": number} | profile | {"chargingSchedule": schedules}
        return {"evseId": socket, "chargingProfile": numbered}

    async def start(self) -> None:
        """Have it start to charge."""
        token = {"idToken": self._traits.tag, "type": "Central"}
        await self._ask(
            "RequestStartTransaction",
            {
                "idToken": token,
                "remoteStartId": next(self._starts),
                "evseId": self._traits.connector,
            },
        )

    async def stop(self, transaction: str) -> None:
        """Have it end a session."""
        await self._ask("RequestStopTransaction", {"transactionId": transaction})

    async def set_available(self) -> None:
        """Have it go back into service."""
        evse = {"id": self._traits.connector}
        await self._ask("ChangeAvailability", {"operationalStatus": "Operative", "evse": evse})


def _name_variable(setting: str) -> Payload:
    """Return component and variable of a setting."""
    component, _, variable = setting.partition(".")
    return {"component": {"name": component}, "variable": {"name": variable}}
