"""Read the tariffs of an evcc.yaml, and the roofs of its solar forecast."""

import re
from collections.abc import Mapping
from typing import Any

from luna.energy.site.countries import COUNTRIES
from luna.house.peer_import.draft import SiteDraft, find_country_of_market
from luna.house.peer_import.peer_file import PeerValue
from luna.house.peer_import.prices import (
    ALL_DAYS,
    PricedTimes,
    make_calendar,
    make_clock_price,
    parse_days,
    parse_hours,
    parse_months,
)

# Name of an evcc tariff → markets by its region; without a region the only one.
_MARKETS: Mapping[str, Mapping[str, str]] = {
    "awattar": {"de": "DE-LU", "at": "AT", "": "DE-LU"},
    "smartenergy": {"": "AT"},
    "ostrom": {"": "DE-LU"},
    "energinet": {"dk1": "DK1", "dk2": "DK2"},
}
_BY_ZONE = ("nordpool", "energy-charts-api", "epexspot", "stekker", "spotty-energie")
# Source: ENTSO-E, "EIC approved codes", areas of bidding zones.
_MARKETS_BY_EIC = {
    "10YNL----------L": "NL",
    "10Y1001A1001A82H": "DE-LU",
    "10YAT-APG------L": "AT",
    "10YBE----------2": "BE",
    "10YCH-SWISSGRIDZ": "CH",
    "10YDK-1--------W": "DK1",
    "10YDK-2--------M": "DK2",
    "10YFI-1--------U": "FI",
    "10YFR-RTE------C": "FR",
    "10Y1001A1001A44P": "SE1",
    "10Y1001A1001A45N": "SE2",
    "10Y1001A1001A46L": "SE3",
    "10Y1001A1001A47J": "SE4",
}
_OCTOPUS_REGION = re.compile(r"[A-P]")


def read_tariffs(tariffs: PeerValue, draft: SiteDraft) -> None:
    """Read the section ``tariffs`` into a draft."""
    _TariffReader(draft).read(tariffs)


class _TariffReader:
    def __init__(self, draft: SiteDraft) -> None:
        self._draft = draft
        self._ledger = draft.ledger

    def read(self, tariffs: PeerValue) -> None:
        """Read prices of both directions, and the roofs."""
        currency = tariffs.find("currency")
        if currency is not None and re.fullmatch(r"[A-Za-z]{3}", currency.text):
            self._draft.document["currency"] = currency.text.upper()
            self._ledger.take(currency, "currency", currency.text.upper())
        for key, side in (("grid", "import"), ("feedin", "export")):
            tariff = tariffs.find(key)
            if tariff is None:
                continue
            rule = self._read_rule(tariff, f"tariff.{side}")
            if rule is not None:
                self._draft.part("tariff")[side] = rule
        tariff_document = self._draft.document.get("tariff")
        if tariff_document is not None and "import" not in tariff_document:
            tariff_document["import"] = {"kind": "fixed", "price": 0.3}
            self._ledger.assume("tariff.import", 0.3, code="no_tariff")
        solar = tariffs.find("solar")
        if solar is not None:
            for array in solar.each():
                self._read_array(array)

    def _read_rule(self, tariff: PeerValue, place: str) -> dict[str, Any] | None:
        kind = tariff.find("template")
        if kind is None or not kind.text:
            kind = tariff.find("type")
        if kind is None:
            self._ledger.refuse(tariff, "tariff_unknown")
            return None
        if kind.text == "fixed":
            return self._read_fixed(tariff, place)
        market = self._find_market(tariff, kind.text)
        if market is None:
            self._ledger.refuse(kind, "tariff_unknown")
            return None
        for name in ("type", "template", "region", "domain", "bzn", "productcode", "tariff"):
            value = tariff.find(name)
            if value is not None and value.text and not self._ledger.is_accounted(value):
                self._ledger.change(value, f"{place}.market", market, code="market")
        country = find_country_of_market(market)
        if self._draft.country is None and country is not None:
            self._draft.country = country
        charges, vat = self._read_charges(tariff, place)
        zones = tariff.find("chargesZones")
        times = [] if zones is None else self._read_zones(zones, "charge", charges, place)
        if times:
            spot = {"kind": "spot", "name": "spot", "market": market, "vat": vat}
            fee = make_calendar("charges", charges, times, vat=vat)
            return {"kind": "components", "components": [spot, fee]}
        return {"kind": "spot", "market": market, "markup": charges, "vat": vat}

    def _read_charges(self, tariff: PeerValue, place: str) -> tuple[float, float]:
        charges = tariff.find("charges")
        tax = tariff.find("tax")
        markup = None if charges is None else self._ledger.take_number(charges, f"{place}.markup")
        vat = None
        if tax is not None:
            vat = self._ledger.take_number(tax, f"{place}.vat", least=0, most=1)
        return markup or 0.0, vat or 0.0

    def _find_market(self, tariff: PeerValue, kind: str) -> str | None:
        region = tariff.find("region", "zone", "bzn")
        text = "" if region is None else region.text
        if kind in _MARKETS:
            return _MARKETS[kind].get(text.casefold())
        if kind == "entsoe":
            domain = tariff.find("domain")
            return None if domain is None else _MARKETS_BY_EIC.get(domain.text)
        if kind.startswith("octopus"):
            product = tariff.find("productcode", "tariff")
            is_agile = product is not None and product.text.upper().startswith("AGILE")
            letter = text.upper().lstrip("_")
            return f"GB-AGILE-{letter}" if is_agile and _OCTOPUS_REGION.fullmatch(letter) else None
        if kind in _BY_ZONE:
            zone = text.upper()
            is_known = any(zone in country.markets for country in COUNTRIES.values())
            return zone if is_known else None
        return None

    def _read_fixed(self, tariff: PeerValue, place: str) -> dict[str, Any] | None:
        kind = tariff.find("type")
        if kind is not None:
            self._ledger.take(kind, f"{place}.kind")
        price = tariff.find("price")
        default = None
        if price is not None:
            default = self._ledger.take_number(price, f"{place}.price", least=-100, most=10_000)
        if default is None:
            return None
        charges = tariff.find("charges")
        tax = tariff.find("tax")
        added = 0.0
        factor = 1.0
        if charges is not None:
            added = self._ledger.read_number(charges) or 0.0
        if tax is not None:
            factor = 1.0 + (self._ledger.read_number(tax, least=0, most=1) or 0.0)
        all_in = round((default + added) * factor, 6)
        for value in (charges, tax):
            if value is not None and not self._ledger.is_accounted(value):
                self._ledger.change(value, f"{place}.price", all_in, code="all_in")
        zones = tariff.find("zones")
        times = [] if zones is None else self._read_zones(zones, "price", default, place)
        priced = []
        for one in times:
            priced.append(one._replace(price=round((one.price + added) * factor, 6)))
        return make_clock_price(all_in, priced)

    def _read_zones(
        self, zones: PeerValue, name: str, default: float, place: str
    ) -> list[PricedTimes]:
        """Read the times with prices of their own; a zone of which a part is unknown is listed."""
        times: list[PricedTimes] = []
        for zone in zones.each():
            found = self._read_zone(zone, name, default)
            if found is None:
                self._ledger.refuse(zone, "price_zone")
                continue
            times += found
            for value in zone.members.values():
                self._ledger.take(value, place)
        return times

    def _read_zone(self, zone: PeerValue, name: str, default: float) -> list[PricedTimes] | None:
        known = {"days", "hours", "months", name}
        if not set(zone.members) <= known:
            return None
        price = zone.find(name)
        days_text = zone.find("days")
        hours_text = zone.find("hours")
        months_text = zone.find("months")
        days: tuple[str, ...] | None = ALL_DAYS
        if days_text is not None:
            days = parse_days(days_text.text)
        months: tuple[int, ...] | None = ()
        if months_text is not None:
            months = parse_months(months_text.text)
        windows: list[tuple[str, str]] | None = [("00:00", "24:00")]
        if hours_text is not None:
            windows = parse_hours(hours_text.text)
        try:
            amount = default if price is None else float(price.text)
        except ValueError:
            return None
        if days is None or months is None or windows is None:
            return None
        return [PricedTimes(start, end, days, months, amount) for start, end in windows]

    def _read_array(self, array: PeerValue) -> None:
        peak = array.find("kwp")
        if peak is None:
            self._ledger.refuse(array, "solar_unknown")
            return
        peak_kw = self._ledger.read_number(peak, least=0.01, most=10_000)
        if peak_kw is None:
            return
        name = self._draft.add_device("pv", "roof", {"peak_kw": peak_kw})
        roof_document = self._draft.document["pv"][-1]
        place = f"pv.{name}"
        self._ledger.take(peak, f"{place}.peak_kw", peak_kw)
        tilt = array.find("dec")
        if tilt is not None:
            tilt_deg = self._ledger.take_number(tilt, f"{place}.tilt_deg", least=0, most=90)
            if tilt_deg is not None:
                roof_document["tilt_deg"] = tilt_deg
        azimuth = array.find("az")
        if azimuth is not None:
            from_south = self._ledger.read_number(azimuth, least=-180, most=180)
            if from_south is not None:
                roof_document["azimuth_deg"] = (180.0 + from_south) % 360.0
                self._ledger.change(
                    azimuth, f"{place}.azimuth_deg", roof_document["azimuth_deg"], code="azimuth"
                )
        self._read_location(array)
        for part in ("type", "template", "interval"):
            value = array.find(part)
            if value is not None:
                self._ledger.differ(value, "forecasts_itself")

    def _read_location(self, array: PeerValue) -> None:
        latitude = array.find("lat")
        longitude = array.find("lon")
        if latitude is not None and longitude is not None:
            north = self._ledger.take_number(latitude, "location.latitude", least=-90, most=90)
            east = self._ledger.take_number(longitude, "location.longitude", least=-180, most=180)
            if north is not None and east is not None:
                self._draft.locate(latitude, north, east)
