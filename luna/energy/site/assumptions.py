"""What Luna assumes of a site that does not say it, and what telling it is usually worth. Pure."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from luna.energy.site.devices import Battery, PvArray
from luna.energy.site.household import ASSUMED_M2
from luna.energy.site.model import Site

# Share of the bill by which plans of a home cost less that was told it, until a day was measured. Source: ``luna bench assumptions``, which says where it was
# measured; what is not named was not measured, or was worth less than half a hundredth.
WORTH: Mapping[str, float] = MappingProxyType({"location": 0.06, "yearly_kwh": 0.02, "yearly_kwh_by_persons": 0.006, "shading": 0.006})
# Of a battery: the default of a site's file, and what set-up fills in.
_USUAL_EFFICIENCIES = (0.9025, 0.9)

AssumptionStep = Literal["site", "devices"]


class SiteAssumption(NamedTuple):
    """Something that is assumed: ``code`` names the sentence, ``step`` of set-up asks for it, ``device`` is whose it is, empty: the site's.

    ``like_measured``: the site is like those on which its worth was measured.
    """

    code: str
    step: AssumptionStep
    figures: Mapping[str, float] = MappingProxyType({})
    device: str = ""
    like_measured: bool = True

    @property
    def worth(self) -> float | None:
        """By which share of the bill plans cost less once it is told; None where nobody measured it."""
        return WORTH.get(self.code) if self.like_measured else None


def list_assumptions(site: Site) -> list[SiteAssumption]:
    """Return what is assumed of a site, that of which most is known to be worth telling first."""
    found = [*_assume_household(site), *_assume_devices(site)]
    return sorted(found, key=lambda each: -(each.worth or 0.0))


def _assume_household(site: Site) -> Iterator[SiteAssumption]:
    said = site.household
    if said.yearly_kwh is None:
        code = "yearly_kwh" if said.persons is None else "yearly_kwh_by_persons"
        yield SiteAssumption(code, "site", {"kwh": said.yearly_load_kwh})
    if said.heated_by is None and not site.heat_pumps:
        yield SiteAssumption("heated_by", "site")
    elif said.heating_kwh is None and (heating_kwh := site.yearly_load.heating_kwh):
        yield SiteAssumption("heating_kwh", "site", {"kwh": heating_kwh, "area": said.heated_m2 or ASSUMED_M2})
    if site.location is None:
        # Weather was worth it for what the sun gives.
        yield SiteAssumption("location", "site", like_measured=bool(site.pv))


def _assume_devices(site: Site) -> Iterator[SiteAssumption]:
    for battery in site.batteries:
        if _is_usual(battery):
            yield SiteAssumption("efficiency", "devices", {"share": battery.charge_efficiency * battery.discharge_efficiency}, battery.name)
    for array in site.pv:
        if all(getattr(array, name) == PvArray.model_fields[name].default for name in ("tilt_deg", "azimuth_deg")):
            yield SiteAssumption("facing", "devices", {"tilt": array.tilt_deg}, array.name)
        if array.shading is None:
            yield SiteAssumption("shading", "devices", device=array.name)
    for vehicle in site.vehicles:
        if vehicle.charger is None:
            yield SiteAssumption("phases", "devices", {"least": vehicle.min_charge_kw}, vehicle.name)
        if vehicle.km_per_year is None:
            yield SiteAssumption("km_per_year", "devices", device=vehicle.name)


def _is_usual(battery: Battery) -> bool:
    return any(abs(battery.charge_efficiency * battery.discharge_efficiency - usual) < 1e-3 for usual in _USUAL_EFFICIENCIES)
