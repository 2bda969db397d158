"""The fortnight of the simulated home on each product that Luna speaks to itself, with faults: is
what the page says what the home's meters counted, and what the product was commanded?

Every battery inverter, six chargers and two switches of the water heater. The link is in this
process; what a charger was commanded is read by a client of its own over a real wire. The two that
speak OCPP connect to Luna's process of charge points, which runs by the home's clock.
``luna bench product-fortnight --days 1`` is the short way.
"""

from datetime import timedelta
from typing import Any

from bench.fortnight import DAYS, empty_luna, live_fortnight
from bench.fortnight.charging_station import is_station
from bench.fortnight.incidents import list_product_incidents
from bench.fortnight.independent_client import READERS
from luna.drivers.profile import DeviceProfile
from luna.drivers.profiles import list_profiles

# What is compared of a product.
COUNTED = ("charge_kwh", "discharge_kwh", "import_kwh", "export_kwh")
KEPT = (
    "sentences",
    "sentences_false",
    "readings",
    "readings_lost",
    "minutes_without_plan",
    "false",
    "device",
    "parts_s",
)


def list_products() -> list[DeviceProfile]:
    """Return the profiles of the products that are lived with."""
    return [
        profile
        for profile in list_profiles()
        if profile.kind == "battery_inverter" or profile.profile in READERS or is_station(profile)
    ]


def measure(*, days: float | None = None) -> dict[str, Any]:
    """Return by profile what was said and how much of it was false, and by how much what is stored
    differs from what flowed.
    """
    lived = timedelta(days=DAYS if days is None else days)
    by_profile = {profile.profile: live_with(profile, lived) for profile in list_products()}
    figures = list(by_profile.values())
    return {
        "days": lived / timedelta(days=1),
        "profiles": by_profile,
        "sentences_false": sum(
            product["sentences_false"] + product["device"]["sentences_false"] for product in figures
        ),
        "readings_lost": sum(product["readings_lost"] for product in figures),
        "most_off": max(product["most_off"] for product in figures),
        "longest_without_control_s": max(
            max(product["device"]["without_control_s"].values(), default=0.0) for product in figures
        ),
    }


def live_with(product: DeviceProfile, lived: timedelta) -> dict[str, Any]:
    """Return the figures of one product."""
    with empty_luna() as (folder, database):
        incidents = list_product_incidents(lived)
        figures = live_fortnight(folder, database, lived, incidents=incidents, product=product)
    energies = {name: figures["energies"][name] for name in COUNTED}
    off = [
        abs(energy["stored_kwh"] - energy["true_kwh"]) / max(energy["true_kwh"], 1.0)
        for energy in energies.values()
    ]
    kept = {name: figures[name] for name in KEPT}
    return kept | {"energies": energies, "most_off": max(off)}
