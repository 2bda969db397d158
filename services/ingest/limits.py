"""A site's highest powers, by its equipment."""

from luna.energy.devices import DEVICE_KINDS
from luna.energy.sensor_roles import SensorRole, roles_of
from luna.energy.site import SENSOR_ROLES, Site, measured_series

# Meters, inverters and short peaks go a little beyond a name plate; a wrong unit goes far beyond.
TOLERANCE = 1.25
ANY_POWER_KW = 10_000.0
# By role, the kind of device that it measures.
_MEASURED = {role: kind for kind in DEVICE_KINDS if kind.sensors for role in roles_of(kind.sensors).values()}


def limit_powers(site: Site) -> dict[str, float]:
    """Return the highest believable power of each energy that a balance is made of, kW."""
    roles = {role.series: role for role in SENSOR_ROLES.values() if role.series and role.flow in {"source", "sink"}}
    limits = {series: limit_power(site, role, ANY_POWER_KW) for series, role in roles.items()}
    return {"load_kwh": min(ANY_POWER_KW, sum(limits[source] for source in measured_series("source")))} | limits


def limit_power(site: Site, role: SensorRole, otherwise_kw: float) -> float:
    """Return the highest believable power of an energy, kW; ``otherwise_kw`` where the site says nothing of it."""
    return (role.limit_kw(_MEASURED[role].of(site)) * TOLERANCE if role.limit_kw else 0.0) or otherwise_kw
