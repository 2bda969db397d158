"""The assignment of sensors to sources."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from luna.energy.devices import PROFILED

# What Home Assistant calls an entity: its domain, a dot, its object.
ENTITY = re.compile(r"[a-z_]+\.[a-z0-9_]+")
MQTT_TOPIC = "mqtt:"
HOME_ASSISTANT, MQTT, PROFILE = "home_assistant", "mqtt", "profile"


@dataclass(frozen=True, slots=True)
class Wiring:
    """Source → sensor → the sites that use it; ``unserved`` are sensors that no source here knows."""

    sources: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    unserved: tuple[str, ...] = ()


def wire(sensed: Iterable[tuple[str, Iterable[str]]], sources: Collection[str]) -> Wiring:
    """Return the assignment of the sensors of ``sensed``, pairs of site and its sensors, to ``sources``.

    A topic of MQTT goes there, a reading of a device with a profile to that device. Where both Home Assistant and a broker are, the name of an entity goes to
    Home Assistant, which knows when it was said; any other to MQTT.
    """
    routes: dict[str, dict[str, tuple[str, ...]]] = {}
    unserved: list[str] = []
    for site, sensors in sensed:
        for sensor in sensors:
            named = next((source for mark, source in ((MQTT_TOPIC, MQTT), (PROFILED, PROFILE)) if sensor.startswith(mark)), None)
            preferred = (named,) if named else (HOME_ASSISTANT, MQTT) if ENTITY.fullmatch(sensor) else (MQTT,)
            source = next((source for source in preferred if source in sources), None)
            if source is None:
                unserved.append(sensor)
                continue
            users = routes.setdefault(source, {})
            users[sensor] = (*users.get(sensor, ()), site)
    return Wiring(routes, tuple(unserved))
