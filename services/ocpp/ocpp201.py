"""Speak OCPP 2.0.1 with a charging station.

Source: Open Charge Alliance, OCPP 2.0.1 edition 2, part 2.
"""

import itertools
import math
from collections.abc import Mapping

import structlog
from websockets.asyncio.server import ServerConnection

from luna.contracts.charge_points import (
    ChargePointBoot,
    ChargePointLimit,
    ChargePointProtocol,
    ChargePointTraits,
)
from services.ocpp.charge_point import CAR_STATES, ChargePoint
from services.ocpp.charging_schedule import (
    LIMIT_PROFILE,
    MOST_PROFILE,
    choose_stack_level,
    takes_two_periods,
    write_schedule,
)
from services.ocpp.link import (
    HEARTBEAT_SECONDS,
    PING_SECONDS,
    TAKEN,
    CallRefusedError,
    OcppLink,
    Payload,
    acknowledge,
    refuse_data,
)
from services.ocpp.meter_values import read_meter_values
from services.ocpp.texts import clean_text, read_instant, write_instant
from services.ocpp.transactions import Transaction

# What it can and does: component and variable.
STACK_LEVEL = ("SmartChargingCtrlr", "ProfileStackLevel")
RATE_UNIT = ("SmartChargingCtrlr", "RateUnit")
PERIODS = ("SmartChargingCtrlr", "PeriodsPerSchedule")
INTERVAL = ("SampledDataCtrlr", "TxUpdatedInterval")
MEASURANDS = ("SampledDataCtrlr", "TxUpdatedMeasurands")
FIRST_MEASURANDS = ("SampledDataCtrlr", "TxStartedMeasurands")
LAST_MEASURANDS = ("SampledDataCtrlr", "TxEndedMeasurands")
PING = ("OCPPCommCtrlr", "WebSocketPingInterval")
_READ = (
    STACK_LEVEL,
    RATE_UNIT,
    PERIODS,
    INTERVAL,
    MEASURANDS,
    FIRST_MEASURANDS,
    LAST_MEASURANDS,
    PING,
)
_COUNTER = "Energy.Active.Import.Register"
_OCCUPIED = "Occupied"

Variable = tuple[str, str]

log = structlog.get_logger("luna.ocpp")


class Ocpp201:
    """The messages of OCPP 2.0.1 over one connection."""

    protocol: ChargePointProtocol = "2.0.1"

    def __init__(self, point: ChargePoint, connection: ServerConnection) -> None:
        self._point = point
        self._connection = connection
        self._variables: Mapping[Variable, str] = {}
        self._traits = ChargePointTraits()
        self._starts = itertools.count(int(point.clock.now().timestamp()) % 1_000_000_000)
        self.link = OcppLink(
            point.identity,
            connection,
            "2.0.1",
            answers={
                "Authorize": self._authorize,
                "BootNotification": self._boot,
                "ClearedChargingLimit": acknowledge,
                "DataTransfer": refuse_data,
                "FirmwareStatusNotification": acknowledge,
                "Heartbeat": self._heartbeat,
                "LogStatusNotification": acknowledge,
                "MeterValues": self._meter_values,
                "NotifyChargingLimit": acknowledge,
                "NotifyEvent": acknowledge,
                "NotifyMonitoringReport": acknowledge,
                "NotifyReport": acknowledge,
                "ReportChargingProfiles": acknowledge,
                "SecurityEventNotification": acknowledge,
                "StatusNotification": self._status,
                "TransactionEvent": self._transaction,
            },
            # Makers measure more than the schema names.
            lenient=frozenset({"MeterValues", "NotifyEvent", "SecurityEventNotification"}),
        )

    # What it says

    def _authorize(self, payload: Payload) -> Payload:
        return {"idTokenInfo": {"status": self._judge(payload["idToken"])}}

    def _judge(self, token: Mapping[str, str]) -> str:
        return "Accepted" if self._point.allows_tag(token["idToken"]) else "Invalid"

    def _boot(self, payload: Payload) -> Payload:
        station = payload["chargingStation"]
        self._point.take_boot(
            ChargePointBoot(
                vendor=clean_text(station["vendorName"]),
                model=clean_text(station["model"]),
                serial=clean_text(station.get("serialNumber")),
                version=clean_text(station.get("firmwareVersion")),
            )
        )
        return {
            "currentTime": write_instant(self._point.clock.now()),
            "interval": HEARTBEAT_SECONDS,
            "status": "Accepted",
        }

    def _heartbeat(self, _payload: Payload) -> Payload:
        return {"currentTime": write_instant(self._point.clock.now())}

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
        if payload.get("evseId") in {0, self._point.connector}:
            now = self._point.clock.now()
            self._point.take_measured(read_meter_values(payload.get("meterValue"), now))
        return {}

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
        return {"idTokenInfo": {"status": self._judge(token)}} if token else {}

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

    async def configure(self, traits: ChargePointTraits) -> None:
        """Read what it can, have it send its values, and set what it never exceeds."""
        self._traits = traits
        self._variables = await self._read_variables()
        measurands = list(traits.measurands)
        # A product that lacks one of them refuses all: then fewer, those that matter most first.
        for count in dict.fromkeys((len(measurands), min(len(measurands), 3), 1)):
            if await self._set_variable(MEASURANDS, ",".join(measurands[:count])):
                break
        await self._set_variable(FIRST_MEASURANDS, _COUNTER)
        await self._set_variable(LAST_MEASURANDS, _COUNTER)
        await self._set_variable(INTERVAL, str(traits.sample_interval_s))
        await self._set_variable(PING, str(PING_SECONDS))
        if traits.most_a is not None:
            most = ChargePointLimit(current_a=traits.most_a)
            await self._set_profile("ChargingStationMaxProfile", 0, most, None)

    async def _read_variables(self) -> Mapping[Variable, str]:
        questions = []
        for component, variable in _READ:
            questions.append({"component": {"name": component}, "variable": {"name": variable}})
        answer = await self.link.call("GetVariables", {"getVariableData": questions})
        results = answer.get("getVariableResult")
        values: dict[Variable, str] = {}
        for result in results if isinstance(results, list) else ():
            try:
                name = (result["component"]["name"], result["variable"]["name"])
                if result["attributeStatus"] == "Accepted":
                    values[name] = str(result["attributeValue"])
            except (KeyError, TypeError):
                continue
        return values

    async def _set_variable(self, name: Variable, value: str) -> bool:
        """Set a variable that differs; return whether it took the value."""
        if self._variables.get(name) == value:
            return True
        entry = {
            "attributeValue": value,
            "component": {"name": name[0]},
            "variable": {"name": name[1]},
        }
        try:
            answer = await self.link.call("SetVariables", {"setVariableData": [entry]})
            status = answer["setVariableResult"][0]["attributeStatus"]
        except CallRefusedError as error:
            if error.silent:
                raise
            status = error.reason
        except (KeyError, IndexError, TypeError):
            status = "no status"
        if status not in {"Accepted", "RebootRequired"}:
            log.info(
                "a charge point does not take a setting",
                charge_point=self._point.identity,
                setting=".".join(name),
                value=value,
                status=clean_text(status),
            )
            return False
        return True

    @property
    def takes_two_periods(self) -> bool:
        """Whether a limit may be followed by another one."""
        return takes_two_periods(self._traits, self._variables.get(PERIODS))

    async def set_limit(self, limit: ChargePointLimit, following: ChargePointLimit | None) -> None:
        """Have it keep a limit, and the following one where Luna does not renew it."""
        level = choose_stack_level(self._traits, self._variables.get(STACK_LEVEL))
        await self._set_profile("TxDefaultProfile", level, limit, following)

    async def _set_profile(
        self,
        purpose: str,
        stack_level: int,
        limit: ChargePointLimit,
        following: ChargePointLimit | None,
    ) -> None:
        is_limit = purpose == "TxDefaultProfile"
        number = LIMIT_PROFILE if is_limit else MOST_PROFILE
        schedule = write_schedule(
            self._traits,
            limit,
            following,
            allowed_units=self._variables.get(RATE_UNIT, ""),
            now=self._point.clock.now(),
            began_at=self._point.session_began_at,
        )
        profile = {
            "id": number,
            "stackLevel": stack_level,
            "chargingProfilePurpose": purpose,
            "chargingProfileKind": self._traits.profile_kind,
            "chargingSchedule": [{"id": number} | schedule],
        }
        evse = self._traits.connector if is_limit else 0
        await self._ask("SetChargingProfile", {"evseId": evse, "chargingProfile": profile})

    async def clear(self) -> None:
        """Remove the limit."""
        answer = await self.link.call("ClearChargingProfile", {"chargingProfileId": LIMIT_PROFILE})
        # Unknown: there is none.
        if answer.get("status") not in {"Accepted", "Unknown"}:
            raise CallRefusedError(f"ClearChargingProfile: {clean_text(answer.get('status'))}")

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

    async def close(self, reason: str) -> None:
        """End the connection."""
        await self._connection.close(1000, reason)

    async def _ask(self, action: str, payload: Payload) -> None:
        answer = await self.link.call(action, payload)
        status = answer.get("status")
        if status not in TAKEN:
            info = answer.get("statusInfo")
            more = clean_text(info.get("reasonCode")) if isinstance(info, dict) else ""
            raise CallRefusedError(f"{action}: {clean_text(status) or 'no status'} {more}".strip())
