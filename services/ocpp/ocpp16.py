"""Speak OCPP 1.6J with a charge point.

Source: Open Charge Alliance, OCPP 1.6 edition 2 and its JSON specification.
"""

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
from services.ocpp.charge_point import ChargePoint
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
from services.ocpp.texts import clean_text, read_instant, read_number, write_instant
from services.ocpp.transactions import Transaction

_KEYS = (
    "ChargeProfileMaxStackLevel",
    "ChargingScheduleAllowedChargingRateUnit",
    "ChargingScheduleMaxPeriods",
    "MeterValueSampleInterval",
    "MeterValuesSampledData",
    "MeterValuesSampledDataMaxLength",
    "WebSocketPingInterval",
)

log = structlog.get_logger("luna.ocpp")


class Ocpp16:
    """The messages of OCPP 1.6J over one connection."""

    protocol: ChargePointProtocol = "1.6"

    def __init__(self, point: ChargePoint, connection: ServerConnection) -> None:
        self._point = point
        self._connection = connection
        self._settings: Mapping[str, str] = {}
        self._traits = ChargePointTraits()
        self.link = OcppLink(
            point.identity,
            connection,
            "1.6",
            answers={
                "Authorize": self._authorize,
                "BootNotification": self._boot,
                "DataTransfer": refuse_data,
                "DiagnosticsStatusNotification": acknowledge,
                "FirmwareStatusNotification": acknowledge,
                "Heartbeat": self._heartbeat,
                "LogStatusNotification": acknowledge,
                "MeterValues": self._meter_values,
                "SecurityEventNotification": acknowledge,
                "SignedFirmwareStatusNotification": acknowledge,
                "StartTransaction": self._start_transaction,
                "StatusNotification": self._status,
                "StopTransaction": self._stop_transaction,
            },
            # Makers measure more than the schema names; a session that is refused is lost.
            lenient=frozenset({"MeterValues", "StopTransaction", "SecurityEventNotification"}),
        )

    # What it says

    def _authorize(self, payload: Payload) -> Payload:
        return {"idTagInfo": {"status": self._judge(payload["idTag"])}}

    def _judge(self, tag: str) -> str:
        return "Accepted" if self._point.allows_tag(tag) else "Invalid"

    def _boot(self, payload: Payload) -> Payload:
        serial = payload.get("chargePointSerialNumber") or payload.get("chargeBoxSerialNumber")
        self._point.take_boot(
            ChargePointBoot(
                vendor=clean_text(payload["chargePointVendor"]),
                model=clean_text(payload["chargePointModel"]),
                serial=clean_text(serial),
                version=clean_text(payload.get("firmwareVersion")),
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
        if payload["connectorId"] == self._point.connector:
            self._point.take_status(payload["status"])
        return {}

    def _meter_values(self, payload: Payload) -> Payload:
        # 0 is the meter of the whole charge point: with one socket it is that socket's.
        if payload.get("connectorId") in {0, self._point.connector}:
            now = self._point.clock.now()
            self._point.take_measured(read_meter_values(payload.get("meterValue"), now))
        return {}

    def _start_transaction(self, payload: Payload) -> Payload:
        now = self._point.clock.now()
        tag = payload["idTag"]
        meter_wh = float(payload["meterStart"])
        key = f"{payload['connectorId']}/{payload['timestamp']}/{meter_wh:g}/{tag}"
        begun = self._point.begin(
            Transaction(
                number=self._point.transactions.next_number(now),
                begin_key=key[:120],
                end_key="",
                connector=int(payload["connectorId"]),
                tag=clean_text(tag),
                began_at=read_instant(payload["timestamp"], now),
                begin_wh=meter_wh,
            )
        )
        return {
            "transactionId": int(begun.number),
            "idTagInfo": {"status": self._judge(tag)},
        }

    def _stop_transaction(self, payload: Payload) -> Payload:
        now = self._point.clock.now()
        number = str(payload.get("transactionId"))[:40]
        meter_wh = read_number(payload.get("meterStop"))
        self._point.end(
            Transaction(
                number=number,
                begin_key="",
                end_key=f"{payload.get('timestamp')}/{meter_wh:g}"[:80],
                connector=self._point.connector,
                tag=clean_text(payload.get("idTag")),
                began_at=None,
                begin_wh=None,
                ended_at=read_instant(payload.get("timestamp"), now),
                end_wh=None if math.isnan(meter_wh) else meter_wh,
                reason=clean_text(payload.get("reason")) or "Local",
            )
        )
        tag = payload.get("idTag")
        return {"idTagInfo": {"status": self._judge(tag)}} if isinstance(tag, str) else {}

    # What it is sent

    async def ask_boot(self) -> None:
        """Have it say what it is."""
        await self._trigger("BootNotification")

    async def ask_values(self) -> None:
        """Have it send its state and what it measures."""
        connector = self._traits.connector
        await self._trigger("StatusNotification", connector)
        await self._trigger("MeterValues", connector)

    async def _trigger(self, message: str, connector: int | None = None) -> None:
        payload: Payload = {"requestedMessage": message}
        if connector is not None:
            payload["connectorId"] = connector
        await self._ask("TriggerMessage", payload)

    async def configure(self, traits: ChargePointTraits) -> None:
        """Read what it can, have it send its values, and set what it never exceeds."""
        self._traits = traits
        self._settings = await self._read_settings()
        measurands = list(traits.measurands)
        longest = read_number(self._settings.get("MeterValuesSampledDataMaxLength"))
        if longest >= 1:
            measurands = measurands[: int(longest)]
        # A product that lacks one of them refuses all: then fewer, those that matter most first.
        for count in dict.fromkeys((len(measurands), min(len(measurands), 3), 1)):
            if await self._configure("MeterValuesSampledData", ",".join(measurands[:count])):
                break
        await self._configure("MeterValueSampleInterval", str(traits.sample_interval_s))
        await self._configure("WebSocketPingInterval", str(PING_SECONDS))
        if traits.most_a is not None:
            most = ChargePointLimit(current_a=traits.most_a)
            await self._set_profile("ChargePointMaxProfile", 0, most, None)

    async def _read_settings(self) -> Mapping[str, str]:
        try:
            answer = await self.link.call("GetConfiguration", {"key": list(_KEYS)})
        except CallRefusedError as error:
            if error.silent:
                raise
            # Some know the question for everything alone.
            answer = await self.link.call("GetConfiguration", {})
        settings: dict[str, str] = {}
        entries = answer.get("configurationKey")
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and isinstance(entry.get("value"), str):
                settings[str(entry.get("key"))] = entry["value"]
        return settings

    async def _configure(self, key: str, value: str) -> bool:
        """Set a setting that differs; return whether it took the value."""
        if self._settings.get(key) == value:
            return True
        try:
            answer = await self.link.call("ChangeConfiguration", {"key": key, "value": value})
        except CallRefusedError as error:
            if error.silent:
                raise
            answer = {"status": error.reason}
        status = answer.get("status")
        if status not in {"Accepted", "RebootRequired"}:
            log.info(
                "a charge point does not take a setting",
                charge_point=self._point.identity,
                setting=key,
                value=value,
                status=clean_text(status),
            )
            return False
        return True

    @property
    def takes_two_periods(self) -> bool:
        """Whether a limit may be followed by another one."""
        return takes_two_periods(self._traits, self._settings.get("ChargingScheduleMaxPeriods"))

    async def set_limit(self, limit: ChargePointLimit, following: ChargePointLimit | None) -> None:
        """Have it keep a limit, and the following one where Luna does not renew it."""
        level = choose_stack_level(self._traits, self._settings.get("ChargeProfileMaxStackLevel"))
        await self._set_profile("TxDefaultProfile", level, limit, following)

    async def _set_profile(
        self,
        purpose: str,
        stack_level: int,
        limit: ChargePointLimit,
        following: ChargePointLimit | None,
    ) -> None:
        is_limit = purpose == "TxDefaultProfile"
        schedule = write_schedule(
            self._traits,
            limit,
            following,
            allowed_units=self._settings.get("ChargingScheduleAllowedChargingRateUnit", ""),
            now=self._point.clock.now(),
            began_at=self._point.session_began_at,
        )
        profile = {
            "chargingProfileId": LIMIT_PROFILE if is_limit else MOST_PROFILE,
            "stackLevel": stack_level,
            "chargingProfilePurpose": purpose,
            "chargingProfileKind": self._traits.profile_kind,
            "chargingSchedule": schedule,
        }
        connector = self._traits.connector if is_limit else 0
        await self._ask(
            "SetChargingProfile", {"connectorId": connector, "csChargingProfiles": profile}
        )

    async def clear(self) -> None:
        """Remove the limit."""
        answer = await self.link.call("ClearChargingProfile", {"id": LIMIT_PROFILE})
        # Unknown: there is none.
        if answer.get("status") not in {"Accepted", "Unknown"}:
            raise CallRefusedError(f"ClearChargingProfile: {clean_text(answer.get('status'))}")

    async def start(self) -> None:
        """Have it start to charge."""
        await self._ask(
            "RemoteStartTransaction",
            {"connectorId": self._traits.connector, "idTag": self._traits.tag},
        )

    async def stop(self, transaction: str) -> None:
        """Have it end a session."""
        await self._ask("RemoteStopTransaction", {"transactionId": int(transaction)})

    async def set_available(self) -> None:
        """Have it go back into service."""
        await self._ask(
            "ChangeAvailability", {"connectorId": self._traits.connector, "type": "Operative"}
        )

    async def close(self, reason: str) -> None:
        """End the connection."""
        await self._connection.close(1000, reason)

    async def _ask(self, action: str, payload: Payload) -> None:
        answer = await self.link.call(action, payload)
        status = answer.get("status")
        if status not in TAKEN:
            raise CallRefusedError(f"{action}: {clean_text(status) or 'no status'}")
