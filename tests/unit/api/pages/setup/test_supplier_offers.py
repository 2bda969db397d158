"""A supplier's product makes the price; a stored price is shown as the product again."""

from typing import Any

import pytest

from luna.energy.site import Site, Tariff
from luna.energy.suppliers.products import PRODUCTS
from luna.words.pages import page_words
from services.api.pages.setup.composition import compose
from services.api.pages.setup.draft_answers import merge_step
from services.api.pages.setup.editing import answers_of, change_site
from services.api.pages.setup.fields import FieldFault
from services.api.pages.setup.tariff_views import view_tariff
from services.ingest.sources.prices.registry import list_markets, price_sources

FEES = {
    "product_surcharge": "2",
    "product_billed": "60",
    "fee_kind": "fixed",
    "fee_price": "9",
    "levies_kind": "fixed",
    "levies_price": "3",
    "parts_vat_percent": "19",
}


def answer(place: str, **typed: str) -> dict[str, Any]:
    tariff = {"import_kind": "product", "export_kind": "none"} | typed
    return {"site": {"name": "Home", "place": place}, "tariff": tariff}


def make_site(place: str, **typed: str) -> Site:
    composed = compose(answer(place, **typed))
    assert composed.whole, composed.faults
    return composed.site()


def list_faults(place: str, **typed: str) -> list[FieldFault]:
    return compose(answer(place, **typed)).faults["tariff"]


def test_every_product_has_markets_that_luna_reads_and_the_key_that_they_need() -> None:
    for product in PRODUCTS:
        bought = {market for markets in product.markets.values() for market in markets.values()}
        sold = {market for markets in product.sold_markets.values() for market in markets.values()}
        assert bought | sold <= set(list_markets()), product.code
        for market in bought:
            settings = [
                source.setting for source in price_sources().values() if market in source.codes
            ]
            needed = None if None in settings else settings[0]
            assert product.key_setting == needed, product.code


CHOSEN = [
    pytest.param("GB:Leeds", {"product": "octopus-agile", "product_area": "M"}, id="agile"),
    pytest.param("AU:Sydney", {"product": "amber"}, id="amber"),
    pytest.param("US:Chicago", FEES | {"product": "comed-hourly"}, id="comed"),
    pytest.param("US:San Francisco", {"product": "PG&E: EV2-A, bundled"}, id="pge"),
    pytest.param("DE:Berlin", {"product": "tibber"}, id="tibber"),
    pytest.param("DE:Berlin", FEES | {"product": "ostrom"}, id="ostrom"),
    pytest.param("AT:Graz", FEES | {"product": "awattar"}, id="awattar"),
]


@pytest.mark.parametrize(("place", "chosen"), CHOSEN)
def test_a_stored_product_is_shown_as_it_was_chosen(place: str, chosen: dict[str, str]) -> None:
    site = make_site(place, **chosen)
    answers = answers_of(site)
    typed = answers["tariff"]
    assert (typed["import_kind"], typed["product"]) == ("product", chosen["product"])
    assert typed.get("product_area", "") == chosen.get("product_area", "")
    assert change_site(site, answers) == site


def test_agile_is_all_that_is_paid_and_outgoing_is_of_the_same_region() -> None:
    chosen = {"product": "octopus-agile", "product_area": "J", "export_kind": "product"}
    site = make_site("GB:Leeds", **chosen)
    assert site.tariff.markets == ["GB-AGILE-J", "GB-AGILE-OUTGOING-J"]
    assert [part.vat for part in site.tariff.import_.components] == [0.0]
    assert answers_of(site)["tariff"]["export_kind"] == "product"


def test_comed_is_billed_by_the_hour_whatever_is_typed() -> None:
    tariff = make_site("US:Chicago", **FEES | {"product": "comed-hourly", "product_billed": "15"})
    assert tariff.tariff.billed_intervals == {("US-COMED", 60)}
    names = [part.name for part in tariff.tariff.import_.components]
    assert names == ["ComEd Hourly Pricing", "surcharge", "grid fee", "taxes and levies"]


AGILE = {"product": "octopus-agile"}


def view(place: str, **typed: str) -> dict[str, Any]:
    return view_tariff(answer(place, **typed), page_words("setup", "en"), "en")


@pytest.mark.parametrize(
    ("postcode", "letter"),
    [("tn1 1aa", "J"), ("SW1A 1AA", "C"), ("B7 7AA", "E"), ("b77aa", "E"), ("BN1", "J")],
)
def test_the_region_follows_from_the_postcode(postcode: str, letter: str) -> None:
    chosen = AGILE | {"postcode": postcode}
    assert make_site("GB:Leeds", **chosen).tariff.markets == [f"GB-AGILE-{letter}"]
    shown = view("GB:Leeds", **chosen)
    assert shown["typed"]["product_area"] == letter
    assert shown["postcode_said"] != ""
    # The owner's choice counts.
    site = make_site("GB:Leeds", **chosen, product_area="P")
    assert site.tariff.markets == ["GB-AGILE-P"]


@pytest.mark.parametrize("postcode", ["W3 7AA", "B77 1AA", "10115", "London", ""])
def test_a_postcode_that_may_lie_in_several_regions_leaves_the_list(postcode: str) -> None:
    chosen = AGILE | {"postcode": postcode}
    [fault] = list_faults("GB:Leeds", **chosen)
    assert (fault.field, fault.code) == ("product_area", "area")
    shown = view("GB:Leeds", **chosen)
    assert len(shown["areas"]) == 14
    assert bool(shown["postcode_said"]) == bool(postcode)


def test_another_postcode_leads_to_another_region() -> None:
    before = answer("GB:Leeds", **AGILE, postcode="TN1 1AA", product_area="")
    typed = before["tariff"] | {"postcode": "LS1 1AA", "product_area": "J"}
    after = merge_step(before, "tariff", typed)
    assert compose(after).site().tariff.markets == ["GB-AGILE-M"]
    kept = merge_step(before, "tariff", typed | {"product_area": "A"})
    assert compose(kept).site().tariff.markets == ["GB-AGILE-A"]


def test_vienna_s_postcodes_name_its_grid_operator() -> None:
    chosen = FEES | {"product": "awattar", "fee_kind": "published", "postcode": "1070"}
    site = make_site("AT:Wien", **chosen)
    assert [part.name for part in site.tariff.import_.components][2:4] == [
        "grid fee",
        "grid loss fee",
    ]
    graz = list_faults("AT:Graz", **chosen | {"postcode": "8010"})
    assert [(fault.field, fault.code) for fault in graz] == [("fee_published", "missing")]


@pytest.mark.parametrize(
    ("postcode", "operator", "words"),
    [
        ("8020", "Stromnetz Graz", "this is Stromnetz Graz"),
        # Feldkirch's utility charges the fees of its province.
        ("6800", "Vorarlberger Energienetze", "this is Stadtwerke Feldkirch"),
        ("6991", "", "Kleinwalsertal runs the grid. Luna does not know its fee"),
        ("6020", "", "one of: Innsbrucker Kommunalbetriebe, TINETZ"),
        ("5020", "", "Luna does not know who runs the grid"),
    ],
    ids=["one", "fees of another", "no fee known", "shared", "unknown"],
)
def test_a_postcode_proposes_its_operator_s_fee_or_says_what_is_not_known(
    postcode: str, operator: str, words: str
) -> None:
    chosen = FEES | {"product": "awattar", "fee_kind": "published", "postcode": postcode}
    shown = view("AT:Wien", **chosen)
    assert words in shown["postcode_said"]
    assert shown["typed"].get("fee_published", "").partition(":")[0] == operator


def test_what_a_country_lacks_is_refused() -> None:
    [fault] = list_faults("DE:Berlin", product="octopus-agile")
    assert (fault.field, fault.code) == ("product", "choice")
    [fault] = list_faults("DE:Berlin", product="tibber", export_kind="product")
    assert (fault.field, fault.code) == ("export_kind", "unpaid")


def test_flanders_capacity_tariff_is_filled_in_with_tax() -> None:
    fixed = {"import_kind": "fixed", "import_price": "30"}
    chosen = {"peak_published": "Fluvius West: Capacity tariff, digital meter"}
    site = make_site("BE:Antwerpen", **fixed, **chosen)
    [peak] = site.tariff.peaks
    # 4.758298 EUR per kW and month, with 6 % tax.
    assert peak.price_per_kw_month == pytest.approx(5.043796)
    assert (peak.interval_minutes, peak.least_kw) == (15, 2.5)
    answers = answers_of(site)
    assert answers["tariff"]["peak_published"] == chosen["peak_published"]
    answers["tariff"]["peak_published"] = ""
    assert change_site(site, answers).tariff.peaks == ()


def test_a_capacity_charge_of_the_file_stays() -> None:
    site = make_site("BE:Antwerpen", import_kind="fixed", import_price="30")
    document = site.model_dump(mode="json", by_alias=True)
    document["tariff"]["peak"] = {"price_per_kw_month": 3.0}
    own = Site.model_validate(document)
    answers = answers_of(own)
    answers["tariff"]["import_price"] = "31"
    changed = change_site(own, answers)
    assert changed.tariff == Tariff.model_validate(
        document["tariff"] | {"import": {"kind": "fixed", "price": 0.31}}
    )
