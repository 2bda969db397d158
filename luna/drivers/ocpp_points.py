"""Reads and sets points of a charge point through the process that it connects to."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import cast

from luna.contracts.charge_points import (
    AskChargePoint,
    ChargePointAnswer,
    ChargePointLimit,
    ChargePointRequest,
    ChargePointState,
    ChargePointTraits,
    LimitChargePoint,
    ListChargePoints,
    SeenChargePoint,
)
from luna.drivers.charge_point_channel import LIST_SECONDS, ChargePointClient
from luna.drivers.json_points import pick_point
from luna.drivers.points import DeviceIdentity, PointValue
from luna.drivers.profile import DeviceProfile
from luna.drivers.profile_points import JsonPoint
from luna.drivers.transports import OcppTransport
from luna.energy.devices.commands import Via
from luna.energy.refusals import refuse

# The document that the process offers, and where commands go.
STATE = "state"
LIMIT = "limit"
# What a charge point says it is; a profile identifies its product by it.
BOOT = "boot"
# Charge points take a tenth of an ampere.
_RESOLUTION_A = 0.05
# Of what is commanded; the rest are states.
_MEASURES = frozenset({"current_a", "power_w"})


class OcppPoints:
    """The points of one charge point.

    Args:
        profile: of the device.
        transport: of the profile.
        via: names the charge point by its identity.
        data_folder: whose process it connects to; None: nobody's.
    """

    def __init__(
        self, profile: DeviceProfile, transport: OcppTransport, via: Via, data_folder: Path | None
    ) -> None:
        self._profile = profile
        self._traits = ChargePointTraits(**transport.model_dump(exclude={"kind"}))
        self._identity = via.host
        self._data_folder = data_folder
        self._client: ChargePointClient | None = None

    @property
    def place(self) -> str:
        """The charge point's identity for error messages."""
        return self._identity

    def identify(self) -> DeviceIdentity | None:
        """Return what the charge point says it is; it is not accepted by that.

        Raises:
            UnavailableError: it is not connected, or is another product.
        """
        answer = self._exchange(ListChargePoints())
        for seen in answer.charge_points:
            if seen.identity == self._identity and seen.connected:
                break
        else:
            raise refuse("charge-point-away", field="via.host", value=self._identity)
        identity = identify(self._profile, seen)
        if identity is None:
            raise refuse(
                "device-other-product",
                field="via",
                value=self._identity,
                profile=self._profile.profile,
            )
        return identity

    def read(self, names: Iterable[str]) -> dict[str, float]:
        """Return points by name; NaN where the charge point has no value.

        Raises:
            UnavailableError: it is not connected.
        """
        document = self._ask_state().model_dump()
        values: dict[str, float] = {}
        for name in names:
            point = cast("JsonPoint", self._profile.points[name])
            values[name] = pick_point(document, point, self._profile.invalid_of(point))
        return values

    def hold(self, values: Sequence[PointValue]) -> list[bool]:
        """Return for each value whether the charge point accepted it on this connection.

        Raises:
            UnavailableError: it is not connected.
        """
        document = self._ask_state(commands=True).model_dump()
        held: list[bool] = []
        for value in values:
            point = cast("JsonPoint", self._profile.points[value.point])
            number = pick_point(document, point, ())
            # NaN is close to nothing.
            held.append(math.isclose(number, value.value, abs_tol=_RESOLUTION_A))
        return held

    def write(self, values: Sequence[PointValue]) -> None:
        """Command all of the values at once; return once the charge point accepted them.

        Raises:
            UnavailableError: it is not connected, does not answer, or refuses: with its reason.
        """
        if not values:
            return
        fields: dict[str, float] = {}
        for value in values:
            point = cast("JsonPoint", self._profile.points[value.point])
            # The place of what it accepted ends with the name of what is commanded.
            name = point.field_.rpartition(".")[2]
            if not math.isfinite(value.value):
                raise refuse(
                    "device-value-unknown", field="via", value=self.place, point=value.point
                )
            number = value.value / point.scale
            fields[name] = number if name in _MEASURES else round(number)
        limit = ChargePointLimit.model_validate(fields)
        self._exchange(LimitChargePoint(identity=self._identity, traits=self._traits, limit=limit))

    def close(self) -> None:
        """Close the connection to the process; the charge point keeps its own."""
        if self._client is not None:
            self._client.close()
        self._client = None

    def _ask_state(self, *, commands: bool = False) -> ChargePointState:
        request = AskChargePoint(identity=self._identity, traits=self._traits, commands=commands)
        answer = self._exchange(request)
        if answer.state is None:
            raise refuse("charge-point-away", field="via.host", value=self._identity)
        return answer.state

    def _exchange(self, request: ChargePointRequest) -> ChargePointAnswer:
        if self._data_folder is None:
            raise refuse("charge-points-unserved", field="via.host", value=self._identity)
        self._client = self._client or ChargePointClient(self._data_folder)
        try:
            answer = self._client.ask(request)
        except OSError as exc:
            raise refuse("charge-points-unserved", field="via.host", value=self._identity) from exc
        if answer.fault == "refused":
            raise refuse(
                "charge-point-refuses", field="via.host", value=self._identity, why=answer.reason
            )
        if answer.fault is not None:
            raise refuse("charge-point-away", field="via.host", value=self._identity)
        return answer


def identify(profile: DeviceProfile, seen: SeenChargePoint) -> DeviceIdentity | None:
    """Return a charge point's identity, None where a profile is of another product."""
    boot = seen.boot
    if profile.identified is not None:
        documents = {BOOT: boot.model_dump()}
        if profile.identified.read_documents(documents, profile.covers[0].brand) is None:
            return None
    return DeviceIdentity(boot.vendor, boot.model, boot.version, boot.serial)


def list_charge_points(data_folder: Path) -> list[SeenChargePoint]:
    """Return the charge points that connected to Luna; none where nobody serves them."""
    client = ChargePointClient(data_folder, patience_s=LIST_SECONDS)
    try:
        return client.ask(ListChargePoints()).charge_points
    except OSError:
        return []
    finally:
        client.close()


def choose_profile(
    profiles: Iterable[DeviceProfile], seen: SeenChargePoint
) -> DeviceProfile | None:
    """Return the profile that fits a charge point: its product's, else the one of any."""
    by_ocpp = [profile for profile in profiles if isinstance(profile.transport, OcppTransport)]
    for profile in sorted(by_ocpp, key=_count_rules, reverse=True):
        if identify(profile, seen) is not None:
            return profile
    return None


def _count_rules(profile: DeviceProfile) -> int:
    """Return by how many rules a product is known: of any charge point by none."""
    return 0 if profile.identified is None else len(profile.identified.documents)
