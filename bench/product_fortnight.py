"""The fortnight of the simulated home on each inverter that Luna speaks to itself: is what the page
says was done what the home's meters counted?

Without incidents and without a wire: what goes wrong between Luna and a device is what
``tests/integration/drivers`` is for. Without car and tank as well: to schedule them takes
nine tenths of the time, and no inverter knows of them: ``luna bench fortnight`` lives with them.
``luna bench product-fortnight --days 1`` is the short way.
"""

from datetime import timedelta
from typing import Any

from bench.fortnight import DAYS, empty_luna, live_fortnight
from luna.platform.drivers.profile import DeviceProfile
from luna.platform.drivers.profiles import list_profiles

# What is compared of a product.
COUNTED = ("charge_kwh", "discharge_kwh", "import_kwh", "export_kwh")


def measure(*, days: float | None = None) -> dict[str, Any]:
    """Return by profile what was said and how much of it was false, and by how much what is stored
    differs from what flowed.
    """
    lived = timedelta(days=DAYS if days is None else days)
    by_profile = {
        profile.profile: _live(profile, lived)
        for profile in list_profiles()
        if profile.kind == "battery_inverter"
    }
    return {
        "days": lived / timedelta(days=1),
        "profiles": by_profile,
        "sentences_false": sum(each["sentences_false"] for each in by_profile.values()),
        "readings_lost": sum(each["readings_lost"] for each in by_profile.values()),
        "most_off": max(each["most_off"] for each in by_profile.values()),
    }


def _live(product: DeviceProfile, lived: timedelta) -> dict[str, Any]:
    with empty_luna() as (folder, database):
        figures = live_fortnight(folder, database, lived, incidents=(), product=product)
    energies = {name: figures["energies"][name] for name in COUNTED}
    off = [
        abs(each["stored_kwh"] - each["true_kwh"]) / max(each["true_kwh"], 1.0)
        for each in energies.values()
    ]
    kept = {
        name: figures[name]
        for name in (
            "sentences",
            "sentences_false",
            "readings_lost",
            "minutes_without_plan",
            "false",
            "cost",
            "share_of_foresight",
        )
    }
    return kept | {"energies": energies, "most_off": max(off)}
