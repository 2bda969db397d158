"""Profiles of products by the names that other energy managers have for them.

A profile is looked up among those that this version has: by its name, or by how the names of a
family begin. A product whose profile is not there is listed as known and not driven by Luna.
"""

from collections.abc import Sequence
from typing import NamedTuple

from luna.drivers.profile import DeviceProfile


class PeerProduct(NamedTuple):
    """A family of products.

    ``starts``: how evcc's templates of it begin, in lower case. ``profiles``: names of Luna's
    profiles, or how they begin, the best first.
    """

    starts: tuple[str, ...]
    called: str
    profiles: tuple[str, ...]


# A longer beginning comes before a shorter one of the same maker.
PRODUCTS: tuple[PeerProduct, ...] = (
    PeerProduct(("sma-hybrid", "sma-inverter-modbus", "sma-si"), "SMA", ("sma_hybrid", "sma_")),
    PeerProduct(
        ("sma-home-manager", "sma-energy-meter", "sma-em"), "SMA Energy Meter", ("sma_energy",)
    ),
    PeerProduct(("sma",), "SMA", ("sma_",)),
    PeerProduct(("fronius-gen24", "fronius"), "Fronius", ("fronius_gen24", "fronius_")),
    PeerProduct(("kostal",), "Kostal", ("kostal_",)),
    PeerProduct(("huawei",), "Huawei", ("huawei_sun2000", "huawei_")),
    PeerProduct(("sungrow",), "Sungrow", ("sungrow_sh", "sungrow_")),
    PeerProduct(("goodwe",), "GoodWe", ("goodwe_", "goodwe")),
    PeerProduct(("solaredge",), "SolarEdge", ("solaredge_", "solaredge")),
    PeerProduct(("deye", "sunsynk"), "Deye", ("deye_", "deye")),
    PeerProduct(("foxess", "fox-ess"), "FoxESS", ("foxess_", "foxess")),
    PeerProduct(("solis", "ginlong"), "Solis", ("solis_", "solis")),
    PeerProduct(("growatt",), "Growatt", ("growatt_", "growatt")),
    PeerProduct(("sonnen",), "sonnen", ("sonnen_", "sonnen")),
    PeerProduct(("e3dc",), "E3/DC", ("e3dc_", "e3dc")),
    PeerProduct(("enphase",), "Enphase", ("enphase_", "enphase")),
    PeerProduct(("victron",), "Victron", ("victron_gx", "victron_")),
    PeerProduct(
        ("shelly-pro-3em", "shelly-3em", "shelly-em"), "Shelly", ("shelly_pro_3em", "shelly_")
    ),
    PeerProduct(("shelly",), "Shelly", ("shelly_plug", "shelly_")),
    PeerProduct(("eastron", "sdm630", "sdm"), "Eastron", ("eastron_sdm630", "eastron_")),
    PeerProduct(("carlo-gavazzi", "em24", "et340"), "Carlo Gavazzi", ("carlo_gavazzi_", "gavazzi")),
    PeerProduct(("janitza",), "Janitza", ("janitza_", "janitza")),
    PeerProduct(("abb-b23", "abb-a43"), "ABB", ("abb_b23", "abb_b")),
    PeerProduct(("dsmr", "homewizard-p1", "homewizard-kwh"), "P1", ("dsmr_", "homewizard")),
    PeerProduct(("tasmota",), "Tasmota", ("tasmota_", "tasmota")),
    PeerProduct(("tibber-pulse",), "Tibber Pulse", ("tibber_pulse", "tibber")),
    PeerProduct(("go-e",), "go-e", ("go_e", "goe")),
    PeerProduct(("keba",), "KEBA", ("keba_", "keba", "ocpp_keba")),
    PeerProduct(("alfen",), "Alfen", ("alfen_", "alfen", "ocpp_alfen")),
    PeerProduct(("abb-terra", "abb"), "ABB Terra", ("abb_terra", "ocpp_abb")),
    PeerProduct(("openwb",), "openWB", ("openwb_", "openwb")),
    PeerProduct(("easee",), "Easee", ("ocpp_easee", "easee")),
    PeerProduct(("wallbox",), "Wallbox", ("ocpp_wallbox", "wallbox")),
    PeerProduct(("zaptec",), "Zaptec", ("ocpp_zaptec", "zaptec")),
    PeerProduct(("ocpp",), "OCPP", ("ocpp_generic", "ocpp_")),
    PeerProduct(("sunspec",), "SunSpec", ("sunspec_7xx", "sunspec_")),
)
# What a profile has to be to stand for a device of the file.
KINDS_BY_USAGE = {
    "grid": ("meter", "battery_inverter"),
    "pv": ("battery_inverter", "pv_inverter"),
    "battery": ("battery_inverter",),
    "charger": ("charge_point", "switched_load"),
}


def find_product(template: str) -> PeerProduct | None:
    """Return the family of products of a template; None for an unknown one."""
    lower = template.casefold()
    best: tuple[int, PeerProduct] | None = None
    for product in PRODUCTS:
        for start in product.starts:
            if lower.startswith(start) and (best is None or len(start) > best[0]):
                best = (len(start), product)
    return None if best is None else best[1]


def find_profile(
    product: PeerProduct, usage: str, profiles: Sequence[DeviceProfile]
) -> DeviceProfile | None:
    """Return the best profile of a product for a usage; None where this version has none."""
    kinds = KINDS_BY_USAGE.get(usage, ())
    fitting = [profile for profile in profiles if profile.kind in kinds]
    for wanted in product.profiles:
        for profile in fitting:
            if profile.profile == wanted:
                return profile
        for profile in fitting:
            if profile.profile.startswith(wanted):
                return profile
    return None
