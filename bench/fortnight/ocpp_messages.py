"""What a charge point sends and answers in each version of OCPP.

Source: Open Charge Alliance, OCPP 1.6 edition 2, and OCPP 2.0.1 edition 2, part 2.
"""

from datetime import datetime
from typing import Any

Payload = dict[str, Any]
OcppCall = tuple[str, Payload]

TAG = "card-1"
_METERED: tuple[tuple[str, str, str], ...] = (
    ("power_w", "Power.Active.Import", "W"),
    ("counter_wh", "Energy.Active.Import.Register", "Wh"),
    ("offered_a", "Current.Offered", "A"),
    ("soc", "SoC", "Percent"),
)


def list_samples(measured: Payload) -> list[tuple[str, str, str | None, Any]]:
    """Return measurand, unit, phase and value of what was measured."""
    samples: list[tuple[str, str, str | None, Any]] = []
    for name, measurand, unit in _METERED:
        if name in measured:
            samples.append((measurand, unit, None, measured[name]))
    for phase in range(1, measured.get("phases", 0) + 1):
        samples.append(("Current.Import", "A", f"L{phase}", measured["current_a"]))
    return samples


class Messages16:
    """Messages of OCPP 1.6J."""

    protocol = "ocpp1.6"

    def boot(self) -> OcppCall:
        """Say what it is."""
        return "BootNotification", {
            "chargePointVendor": "KEBA",
            "chargePointModel": "P30",
            "chargePointSerialNumber": "F-1",
        }

    def status(self, now: datetime, status: str, session: str | None) -> OcppCall:
        """Say in which state its socket is."""
        return "StatusNotification", {
            "connectorId": 1,
            "errorCode": "NoError",
            "status": status,
            "timestamp": now.isoformat(),
        }

    def values(self, now: datetime, measured: Payload) -> OcppCall:
        """Say what it measures: texts in this version."""
        samples = []
        for measurand, unit, phase, value in list_samples(measured):
            sample = {"measurand": measurand, "unit": unit, "value": _write(value)}
            samples.append(sample if phase is None else sample | {"phase": phase})
        sets = [{"timestamp": now.isoformat(), "sampledValue": samples}]
        return "MeterValues", {"connectorId": 1, "meterValue": sets}

    def begin(self, now: datetime, counter_wh: int) -> OcppCall:
        """Say that a session began."""
        return "StartTransaction", {
            "connectorId": 1,
            "idTag": TAG,
            "meterStart": counter_wh,
            "timestamp": now.isoformat(),
        }

    def read_session(self, answer: Payload) -> str | None:
        """Return the session's number, which the central system gives."""
        number = answer.get("transactionId")
        return None if number is None else str(number)

    def end(self, now: datetime, counter_wh: int, session: str) -> OcppCall:
        """Say that a session ended."""
        return "StopTransaction", {
            "transactionId": int(session),
            "meterStop": counter_wh,
            "timestamp": now.isoformat(),
            "reason": "EVDisconnected",
        }

    def read_schedule(self, action: str, payload: Payload) -> Payload | None:
        """Return the schedule of a limit, None of another message."""
        if action != "SetChargingProfile":
            return None
        schedule: Payload = payload["csChargingProfiles"]["chargingSchedule"]
        return schedule

    def composite(self, now: datetime, offered_a: float) -> Payload:
        """Return what its schedules allow."""
        schedule = {
            "startSchedule": now.isoformat(),
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": offered_a}],
        }
        return {"status": "Accepted", "connectorId": 1, "chargingSchedule": schedule}

    def answer(self, action: str, payload: Payload) -> Payload:
        """Return the answer to a message that was done."""
        if action != "GetConfiguration":
            return {"status": "Accepted"}
        settings = {
            "ChargeProfileMaxStackLevel": "8",
            "ChargingScheduleAllowedChargingRateUnit": "Current",
        }
        known = [{"key": key, "readonly": True, "value": value} for key, value in settings.items()]
        return {"configurationKey": known}


class Messages201:
    """Messages of OCPP 2.0.1."""

    protocol = "ocpp2.0.1"

    def __init__(self) -> None:
        self._sequence = 0
        self._sessions = 0

    def boot(self) -> OcppCall:
        """Say what it is."""
        station = {"vendorName": "Homely", "model": "Two", "serialNumber": "F-2"}
        return "BootNotification", {"reason": "PowerUp", "chargingStation": station}

    def status(self, now: datetime, status: str, session: str | None) -> OcppCall:
        """Say in which state its socket is; of a session, how it charges."""
        if session is not None:
            info = {"transactionId": session, "chargingState": status}
            return self._event(now, "Updated", "ChargingStateChanged", info)
        return "StatusNotification", {
            "timestamp": now.isoformat(),
            "connectorStatus": status,
            "evseId": 1,
            "connectorId": 1,
        }

    def values(self, now: datetime, measured: Payload) -> OcppCall:
        """Say what it measures: numbers in this version."""
        return "MeterValues", {"evseId": 1, "meterValue": [_write_set(now, measured)]}

    def begin(self, now: datetime, counter_wh: int) -> OcppCall:
        """Say that a session began."""
        self._sessions += 1
        session = f"session-{self._sessions}"
        info = {"transactionId": session, "chargingState": "EVConnected"}
        action, payload = self._event(now, "Started", "CablePluggedIn", info)
        token = {"idToken": TAG, "type": "Central"}
        return action, payload | {
            "idToken": token,
            "meterValue": [_write_set(now, {"counter_wh": counter_wh})],
        }

    def read_session(self, _answer: Payload) -> str:
        """Return the session's number, which the station gives."""
        return f"session-{self._sessions}"

    def end(self, now: datetime, counter_wh: int, session: str) -> OcppCall:
        """Say that a session ended."""
        info = {"transactionId": session, "chargingState": "Idle"}
        action, payload = self._event(now, "Ended", "EVDeparted", info)
        return action, payload | {"meterValue": [_write_set(now, {"counter_wh": counter_wh})]}

    def _event(self, now: datetime, kind: str, reason: str, info: Payload) -> OcppCall:
        self._sequence += 1
        return "TransactionEvent", {
            "eventType": kind,
            "timestamp": now.isoformat(),
            "triggerReason": reason,
            "seqNo": self._sequence,
            "transactionInfo": info,
            "evse": {"id": 1, "connectorId": 1},
        }

    def read_schedule(self, action: str, payload: Payload) -> Payload | None:
        """Return the schedule of a limit, None of another message."""
        if action != "SetChargingProfile":
            return None
        schedule: Payload = payload["chargingProfile"]["chargingSchedule"][0]
        return schedule

    def composite(self, now: datetime, offered_a: float) -> Payload:
        """Return what its schedules allow."""
        schedule = {
            "evseId": 1,
            "duration": 60,
            "scheduleStart": now.isoformat(),
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": offered_a}],
        }
        return {"status": "Accepted", "schedule": schedule}

    def answer(self, action: str, payload: Payload) -> Payload:
        """Return the answer to a message that was done."""
        if action == "GetVariables":
            unknown = [
                entry | {"attributeStatus": "UnknownVariable"}
                for entry in payload["getVariableData"]
            ]
            return {"getVariableResult": unknown}
        if action == "SetVariables":
            results = []
            for entry in payload["setVariableData"]:
                name = {"component": entry["component"], "variable": entry["variable"]}
                results.append(name | {"attributeStatus": "Accepted"})
            return {"setVariableResult": results}
        return {"status": "Accepted"}


def _write_set(now: datetime, measured: Payload) -> Payload:
    samples = []
    for measurand, unit, phase, value in list_samples(measured):
        sample = {"measurand": measurand, "unitOfMeasure": {"unit": unit}, "value": value}
        samples.append(sample if phase is None else sample | {"phase": phase})
    return {"timestamp": now.isoformat(), "sampledValue": samples}


def _write(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
