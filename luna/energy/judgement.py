"""What the energies of a day may be used for: the one judgement that quality, queries, training, scores and savings share."""

from typing import Literal

# mask_battery: everything but what the battery did may be learned from; exclude: nothing may.
QualityVerdict = Literal["clean", "mask_battery", "exclude"]

# What a fault of the battery makes unusable.
BATTERY = ("charge_kwh", "discharge_kwh", "soc")


def may_use(verdict: QualityVerdict | None, series: str = "load_kwh") -> bool:
    """Return whether a series of a local day may be learned from, scored and counted, by the verdict on that day; of a day without one it may.

    What of it is unknown or estimated is no part of the verdict: ``quality.read_usable`` leaves out both.
    """
    return verdict != "exclude" and not (verdict == "mask_battery" and series in BATTERY)
