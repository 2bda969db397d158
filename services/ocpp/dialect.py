"""Speak with a charge point as both versions of OCPP do: what it is sent, and in which order."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

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
    read_current,
    takes_two_periods,
    write_schedule,
)
from services.ocpp.link import (
    HEARTBEAT_SECONDS,
    PING_SECONDS,
    TAKEN,
    Answer,
    CallRefusedError,
    OcppLink,
    Payload,
    acknowledge,
    refuse_data,
)
from services.ocpp.meter_values import read_meter_values
from services.ocpp.texts import clean_text, write_instant

# How far ahead a charge point tells what its schedules allow.
COMPOSITE_SECONDS = 60

log = structlog.get_logger("luna.ocpp")


class OcppDialect(ABC):
    """The messages of one version of OCPP over one connection.

    A version names its settings, and says how a message of it looks.
    """

    protocol: ChargePointProtocol
    # Names of its settings.
    stack_level: ClassVar[str]
    rate_unit: ClassVar[str]
    periods: ClassVar[str]
    interval: ClassVar[str]
    measurands: ClassVar[str]
    ping: ClassVar[str]
    # Settings that have the same value for every charge point.
    fixed_settings: ClassVar[Mapping[str, str]] = {}
    # Of the profile with what it never exceeds.
    most_purpose: ClassVar[str]
    # By which a message names the profile that it removes.
    cleared_by: ClassVar[str]
    # By which a message names a socket, and an answer the schedule in force.
    socket_field: ClassVar[str]
    composite_field: ClassVar[str]

    def __init__(
        self,
        point: ChargePoint,
        connection: ServerConnection,
        *,
        answers: Mapping[str, Answer],
        lenient: frozenset[str],
    ) -> None:
        self._point = point
        self._connection = connection
        self._settings: Mapping[str, str] = {}
        self._traits = ChargePointTraits()
        self._takes_phases = True
        common: dict[str, Answer] = {
            "BootNotification": self._boot,
            "DataTransfer": refuse_data,
            "FirmwareStatusNotification": acknowledge,
            "Heartbeat": self._heartbeat,
            "LogStatusNotification": acknowledge,
            "SecurityEventNotification": acknowledge,
        }
        self.link = OcppLink(
            point.identity,
            connection,
            self.protocol,
            answers=common | dict(answers),
            # Makers measure more than the schema names.
            lenient=lenient | {"MeterValues", "SecurityEventNotification"},
        )

    # What it says

    def _boot(self, payload: Payload) -> Payload:
        self._point.take_boot(self._read_boot(payload))
        return self._heartbeat(payload) | {"interval": HEARTBEAT_SECONDS, "status": "Accepted"}

    @abstractmethod
    def _read_boot(self, payload: Payload) -> ChargePointBoot:
        """Return what it says it is."""

    def _heartbeat(self, _payload: Payload) -> Payload:
        return {"currentTime": write_instant(self._point.clock.now())}

    def _judge(self, tag: str) -> str:
        return "Accepted" if self._point.allows_tag(tag) else "Invalid"

    def _take_values(self, payload: Payload, *, socket: object) -> Payload:
        # 0 is the meter of the whole charge point: with one socket it is that socket's.
        if socket in {0, self._point.connector}:
            now = self._point.clock.now()
            self._point.take_measured(read_meter_values(payload.get("meterValue"), now))
        return {}

    # What it is sent

    async def configure(self, traits: ChargePointTraits) -> None:
        """Read what it can, have it send its values, and set what it never exceeds."""
        self._traits = traits
        self._settings = await self._read_settings()
        measurands = self._list_measurands()
        # A product that lacks one of them refuses all: then fewer, those that matter most first.
        for count in dict.fromkeys((len(measurands), min(len(measurands), 3), 1)):
            if await self._configure(self.measurands, ",".join(measurands[:count])):
                break
        for setting, value in self.fixed_settings.items():
            await self._configure(setting, value)
        await self._configure(self.interval, str(traits.sample_interval_s))
        await self._configure(self.ping, str(PING_SECONDS))
        if traits.most_a is not None:
            most = ChargePointLimit(current_a=traits.most_a)
            await self._set_profile(MOST_PROFILE, most, None)

    @abstractmethod
    async def _read_settings(self) -> Mapping[str, str]:
        """Return what it can, by the names of its settings."""

    def _list_measurands(self) -> list[str]:
        """Return what it is to measure, the first first."""
        return list(self._traits.measurands)

    async def _configure(self, setting: str, value: str) -> bool:
        """Set a setting that differs; return whether it took the value."""
        if self._settings.get(setting) == value:
            return True
        try:
            status = await self._send_setting(setting, value)
        except CallRefusedError as error:
            if error.silent:
                raise
            status = error.reason
        if status not in {"Accepted", "RebootRequired"}:
            log.info(
                "a charge point does not take a setting",
                charge_point=self._point.identity,
                setting=setting,
                value=value,
                status=clean_text(status),
            )
            return False
        return True

    @abstractmethod
    async def _send_setting(self, setting: str, value: str) -> object:
        """Send a setting; return what became of it."""

    @property
    def takes_two_periods(self) -> bool:
        """Whether a limit may be followed by another one."""
        return takes_two_periods(self._traits, self._settings.get(self.periods))

    @property
    def takes_phases(self) -> bool:
        """Whether a limit may name its number of phases."""
        return self._takes_phases

    async def set_limit(self, limit: ChargePointLimit, following: ChargePointLimit | None) -> None:
        """Have it keep a limit, and the following one where Luna does not renew it."""
        try:
            await self._set_profile(LIMIT_PROFILE, limit, following)
        except CallRefusedError as error:
            names_phases = limit.phases is not None and "phase" in error.reason.casefold()
            if error.silent or not names_phases:
                raise
            log.warning(
                "a charge point takes no number of phases; its wiring decides",
                charge_point=self._point.identity,
                why=error.reason,
            )
            self._takes_phases = False
            await self._set_profile(
                LIMIT_PROFILE, _omit_phases(limit), following and _omit_phases(following)
            )

    async def read_current(self, limit: ChargePointLimit) -> float:
        """Return the current that its schedules allow now, NaN if unknown."""
        sent = self._write_schedule(limit, None)
        answer = await self._ask(
            "GetCompositeSchedule",
            {
                self.socket_field: self._traits.connector,
                "duration": COMPOSITE_SECONDS,
                "chargingRateUnit": sent["chargingRateUnit"],
            },
        )
        return read_current(answer.get(self.composite_field), sent, limit)

    def _write_schedule(
        self, limit: ChargePointLimit, following: ChargePointLimit | None
    ) -> Payload:
        return write_schedule(
            self._traits,
            limit,
            following,
            allowed_units=self._settings.get(self.rate_unit, ""),
            now=self._point.clock.now(),
            began_at=self._point.session_began_at,
        )

    async def _set_profile(
        self, number: int, limit: ChargePointLimit, following: ChargePointLimit | None
    ) -> None:
        schedule = self._write_schedule(limit, following)
        purpose = self.most_purpose
        level = socket = 0
        if number == LIMIT_PROFILE:
            purpose = "TxDefaultProfile"
            level = choose_stack_level(self._traits, self._settings.get(self.stack_level))
            socket = self._traits.connector
        profile = {
            "stackLevel": level,
            "chargingProfilePurpose": purpose,
            "chargingProfileKind": self._traits.profile_kind,
        }
        await self._ask(
            "SetChargingProfile", self._frame_profile(number, socket, profile, schedule)
        )

    @abstractmethod
    def _frame_profile(
        self, number: int, socket: int, profile: Payload, schedule: Payload
    ) -> Payload:
        """Return the message with a numbered profile for a socket, and its schedule."""

    async def clear(self) -> None:
        """Remove the limit."""
        answer = await self.link.call("ClearChargingProfile", {self.cleared_by: LIMIT_PROFILE})
        # Unknown: there is none.
        if answer.get("status") not in {"Accepted", "Unknown"}:
            raise CallRefusedError(f"ClearChargingProfile: {clean_text(answer.get('status'))}")

    async def close(self, reason: str) -> None:
        """End the connection."""
        await self._connection.close(1000, reason)

    async def _ask(self, action: str, payload: Payload) -> Payload:
        """Send a message; return the answer by which it was taken."""
        answer = await self.link.call(action, payload)
        status = answer.get("status")
        if status not in TAKEN:
            info = answer.get("statusInfo")
            words = [f"{action}: {clean_text(status) or 'no status'}"]
            if isinstance(info, dict):
                words += [clean_text(info.get(name)) for name in ("reasonCode", "additionalInfo")]
            raise CallRefusedError(" ".join(filter(None, words)))
        return answer


def _omit_phases(limit: ChargePointLimit) -> ChargePointLimit:
    return limit.model_copy(update={"phases": None})
