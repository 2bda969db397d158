"""Quality verdicts of a day, and the one rule by which its data is used.

Queries, training, scores and savings follow it.
"""

from typing import Literal

# mask_battery: all series but the battery's may be used; exclude: none may.
QualityVerdict = Literal["clean", "mask_battery", "exclude"]

# Series that a battery fault makes unusable.
BATTERY = ("charge_kwh", "discharge_kwh", "soc")


def may_use(verdict: QualityVerdict | None, series: str = "load_kwh") -> bool:
    """Return whether a local day's series may train, be scored and counted by the day's verdict.

    Without a verdict it may.

    Unknown and estimated values are not part of the verdict: ``quality.read_usable`` leaves out
    both.
    """
    return verdict != "exclude" and not (verdict == "mask_battery" and series in BATTERY)
