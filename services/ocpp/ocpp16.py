"""Speak OCPP 1.6J with a charge point.

Source: Open Charge Alliance, OCPP 1.6 edition 2 and its JSON specification.
"""

import math
from collections.abc import Mapping

from websockets.asyncio.server import ServerConnection

from luna.contracts.charge_points import ChargePointBoot, ChargePointProtocol
from services.ocpp.charge_point import ChargePoint
from services.ocpp.dialect import OcppDialect
from services.ocpp.link import CallRefusedError, Payload, acknowledge
from services.ocpp.texts import clean_text, read_instant, read_number
from services.ocpp.transactions import Transaction

_MOST_MEASURANDS = "MeterValuesSampledDataMaxLength"


class Ocpp16(OcppDialect):
    """The messages of OCPP 1.6J over one connection."""

    protocol: ChargePointProtocol = "1.6"
    stack_level = "ChargeProfileMaxStackLevel"
    rate_unit = "ChargingScheduleAllowedChargingRateUnit"
    periods = "ChargingScheduleMaxPeriods"
    interval = "MeterValueSampleInterval"
    measurands = "MeterValuesSampledData"
    ping = "WebSocketPingInterval"
    most_purpose = "ChargePointMaxProfile"
    cleared_by = "id"
    socket_field = "connectorId"
    composite_field = "chargingSchedule"

    def __init__(self, point: ChargePoint, connection: ServerConnection) -> None:
        super().__init__(
            point,
            connection,
            answers={
                "Authorize": self._authorize,
                "DiagnosticsStatusNotification": acknowledge,
                "MeterValues": self._meter_values,
                "SignedFirmwareStatusNotification": acknowledge,
                "StartTransaction": self._start_transaction,
                "StatusNotification": self._status,
                "StopTransaction": self._stop_transaction,
            },
            # A session that is refused is lost.
            lenient=frozenset({"StopTransaction"}),
        )

    # What it says

    def _authorize(self, payload: Payload) -> Payload:
        return {"idTagInfo": {"status": self._judge(payload["idTag"])}}

    def _read_boot(self, payload: Payload) -> ChargePointBoot:
        serial = payload.get("chargePointSerialNumber") or payload.get("chargeBoxSerialNumber")
        return ChargePointBoot(
            vendor=clean_text(payload["chargePointVendor"]),
            model=clean_text(payload["chargePointModel"]),
            serial=clean_text(serial),
            version=clean_text(payload.get("firmwareVersion")),
        )

    def _status(self, payload: Payload) -> Payload:
        if payload["connectorId"] == self._point.connector:
            self._point.take_status(payload["status"])
        return {}

    def _meter_values(self, payload: Payload) -> Payload:
        return self._take_values(payload, socket=payload.get("connectorId"))

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

    async def _read_settings(self) -> Mapping[str, str]:
        try:
            answer = await self.link.call("GetConfiguration", {"key": self._list_settings()})
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

    def _list_settings(self) -> list[str]:
        return [
            self.stack_level,
            self.rate_unit,
            self.periods,
            self.interval,
            self.measurands,
            _MOST_MEASURANDS,
            self.ping,
        ]

    def _list_measurands(self) -> list[str]:
        measurands = super()._list_measurands()
        longest = read_number(self._settings.get(_MOST_MEASURANDS))
        return measurands[: int(longest)] if longest >= 1 else measurands

    async def _send_setting(self, setting: str, value: str) -> object:
        answer = await self.link.call("ChangeConfiguration", {"key": setting, "value": value})
        return answer.get("status")

    def _frame_profile(
        self, number: int, socket: int, profile: Payload, schedule: Payload
    ) -> Payload:
        numbered = {"chargingProfileId": number} | profile | {"chargingSchedule": schedule}
        return {"connectorId": socket, "csChargingProfiles": numbered}

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
