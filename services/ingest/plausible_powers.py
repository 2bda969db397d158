"""Highest plausible power of each of a site's energies, derived from its equipment."""

from luna.energy.devices import DEVICE_KINDS
from luna.energy.sensor_roles import SensorRole, roles_of
from luna.energy.site import SENSOR_ROLES, Site, measured_series

# Meters, inverters and short peaks exceed a name plate a little; a wrong unit exceeds it by far.
TOLERANCE = 1.25
ANY_POWER_KW = 10_000.0
# Kind of device by sensor role.
_MEASURED = {
    role: kind for kind in DEVICE_KINDS if kind.sensors for role in roles_of(kind.sensors).values()
}


def limit_powers(site: Site) -> dict[str, float]:
    """Return the highest plausible power of each energy of the balance, kW."""
    limits = {}
    for role in SENSOR_ROLES.values():
        if role.series and role.flow in {"source", "sink"}:
            limits[role.series] = limit_power(site, role, ANY_POWER_KW)
    sources_kw = sum(limits[source] for source in measured_series("source"))
    return {"load_kwh": min(ANY_POWER_KW, sources_kw)} | limits


def limit_power(site: Site, role: SensorRole, default_kw: float) -> float:
    """Return an energy's highest plausible power, ``default_kw`` if its device has no size."""
    if not role.limit_kw:
        return default_kw
    limit_kw = role.limit_kw(_MEASURED[role].of(site)) * TOLERANCE
    return limit_kw or default_kw
