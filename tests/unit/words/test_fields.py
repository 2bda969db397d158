"""Names, values and changes of a home's fields, as its forms label them."""

from typing import Any
from zoneinfo import ZoneInfo

from luna.energy.site import Site
from luna.energy.site.differences import SiteDifference
from luna.words.catalogue import CATALOGUE
from luna.words.fields import name_field, say_changes
from luna.words.language import Language
from luna.words.numbers import Numbers
from tests.support.suite.tables import each_row


def say(field: str, before: Any, after: Any, language: Language = "de") -> str:
    numbers = Numbers(language, ZoneInfo("Europe/Berlin"), "EUR")
    (change,) = say_changes([SiteDifference(field, before, after)], numbers)
    values = change.what or f"{change.before} → {change.after}"
    return f"{change.field}: {values}".replace("\u00a0", " ")


@each_row(
    ("path", "german"),
    [
        ("site.batteries.0.capacity_kwh", "Batterie: Kapazität"),
        ("batteries.1.min_soc", "Batterie 2: Reserve"),
        ("variants.0.site.batteries.Keller.min_soc", "Keller: Reserve"),
        ("manual.0.power_kw", "Leistung"),
        ("tariff.export.price", "Einspeisevergütung: Preis"),
        ("strategy.vacation.reserve_soc", "Urlaub: Reserve"),
        ("control.batteries.0.via.host", "Steuerung"),
        ("site", "Zuhause"),
        ("frobnicator", ""),
        ("", ""),
    ],
)
def test_a_field_is_named_as_its_form_labels_it(path: str, german: str) -> None:
    assert name_field(path, "de") == german


@each_row(
    ("field", "before", "after", "german"),
    [
        ("batteries.battery.capacity_kwh", 10, 12.5, "Batterie: Kapazität: 10 → 12,5 kWh"),
        ("batteries.battery.min_soc", 0.1, 0.2, "Batterie: Reserve: 10 → 20 %"),
        ("batteries.battery.charge_from_grid", True, False, "Batterie: darf aus dem Netz laden"),
        ("batteries.Keller", None, {"name": "Keller"}, "Keller: hinzugefügt"),
        ("vehicles.car", {"name": "car"}, None, "Auto: entfernt"),
        ("grid.export_limit_kw", 10_000, 8, "höchste Einspeisung: keine Grenze → 8 kW"),
        ("tariff.export.price", 0.0, 0.082, "Einspeisevergütung: Preis: 0,0 → 8,2 ct/kWh"),
        ("pv.roof.shading", None, "morning", "Schatten: – → morgens"),
        ("control.batteries", [1], [2], "Steuerung: geändert"),
        ("display_name", "A", "B", "Name: A → B"),
    ],
)
def test_a_change_is_said_with_the_label_of_its_form(
    field: str, before: Any, after: Any, german: str
) -> None:
    assert german in say(field, before, after)


def test_a_change_is_said_in_every_language_by_its_own_marks() -> None:
    said = [
        say("batteries.battery.min_soc", 0.1, 0.125, language) for language in ("en", "de", "nl")
    ]
    assert said == [
        "Battery: reserve: 10% → 12.5%",
        "Batterie: Reserve: 10 → 12,5 %",
        "Batterij: reserve: 10% → 12,5%",
    ]


def test_every_part_of_a_home_has_a_name() -> None:
    for language in CATALOGUE.languages:
        unnamed = [name for name in Site.model_fields if not name_field(f"{name}.x", language)]
        assert [name for name in unnamed if not name_field(name, language)] == []
