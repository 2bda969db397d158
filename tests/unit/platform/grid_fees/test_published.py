"""The packaged files of grid fees, levies and VAT, and the reader that refuses others."""

from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from luna.platform.grid_fees.published import (
    LEVIES,
    PublishedTariffError,
    find_published,
    list_files,
    list_published,
    read_published,
    report_ages,
)

SOURCE = {
    "title": "Price sheet 2026",
    "publisher": "Netz",
    "published": date(2025, 10, 15),
    "read": date(2025, 12, 1),
}
FEE = {"name": "grid fee", "kind": "fixed", "unit": "cents_per_kwh", "vat": 0.19, "price": 8.0}
PRODUCT = {"name": "Households", "role": "grid_fee", "components": [FEE]}
FILE = {"operator": "Netz", "country": "DE", "area": "a town", "source": SOURCE}
RATE = {"rate": 0.19, "valid_from": date(2025, 1, 1)}


def write(folder: Path, document: dict[str, Any], *, country: str = "de") -> Path:
    path = folder / country / "netz.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def without(mapping: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key != name}


@pytest.mark.parametrize("path", list_files(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_packaged_file_is_valid_and_every_figure_has_source_and_date(path: Path) -> None:
    tariff = read_published(path)
    assert tariff.products
    for product in tariff.products:
        assert product.components or product.peaks or product.rates
        assert product.source.title
        assert date(2020, 1, 1) < product.source.published <= product.source.read


def test_windows_of_packaged_calendars_lie_within_a_day() -> None:
    documents = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in list_files()]
    windows = [
        window
        for document in documents
        for product in document["products"]
        for component in product.get("components", [])
        for window in component.get("windows", [])
    ]
    # A clock time without quotes is a number to YAML: 16:00 would be 960.
    clocks = [window[end] for window in windows for end in ("from", "to")]
    outside = [clock for clock in clocks if not ("00:00" <= clock <= "24:00" and len(clock) == 5)]
    assert windows
    assert outside == []


def test_packaged_components_of_one_name_do_not_hold_at_once() -> None:
    overlaps = [
        (tariff.operator, product.name, one.name)
        for tariff in list_published()
        for product in tariff.products
        for one, other in combinations(product.components, 2)
        if one.name == other.name
        and (one.valid_from or date.min) < (other.valid_to or date.max)
        and (other.valid_from or date.min) < (one.valid_to or date.max)
    ]
    assert overlaps == []


def test_packaged_rates_of_vat_follow_each_other_without_a_gap() -> None:
    chains = [
        [(rate.valid_from, rate.valid_to) for rate in product.rates]
        for tariff in list_published()
        for product in tariff.products
        if product.role == "vat"
    ]
    assert chains
    for chain in chains:
        assert [end for _, end in chain[:-1]] == [start for start, _ in chain[1:]]
        assert chain[-1][1] is None


def test_an_operator_stands_in_one_packaged_file() -> None:
    names = [(tariff.country, tariff.operator.casefold()) for tariff in list_published()]
    assert len(set(names)) == len(names)


def test_an_operator_is_found_whatever_its_case() -> None:
    found = find_published("de", "WESTNETZ")
    assert found is not None
    assert (found.country, found.operator) == ("DE", "Westnetz")
    assert find_published("AT", "Westnetz") is None


def test_vat_is_data_that_changes_on_a_date() -> None:
    levies = find_published("GB", LEVIES)
    assert levies is not None
    rates = [(rate.valid_from, rate.rate) for rate in levies.products[0].rates]
    assert rates[1:] == [(date(2026, 10, 1), 0.0), (date(2027, 4, 1), 0.05)]


def test_a_product_has_the_source_of_its_file_or_its_own(tmp_path: Path) -> None:
    own = {**SOURCE, "title": "Law on the tax"}
    tax = {"name": "Tax", "role": "levy", "source": own, "components": [FEE]}
    tariff = read_published(write(tmp_path, {**FILE, "products": [PRODUCT, tax]}))
    titles = [product.source.title for product in tariff.products]
    assert titles == ["Price sheet 2026", "Law on the tax"]


def test_one_product_may_have_a_source_where_the_file_has_none(tmp_path: Path) -> None:
    document = {**without(FILE, "source"), "products": [{**PRODUCT, "source": SOURCE}]}
    assert read_published(write(tmp_path, document)).products[0].source.publisher == "Netz"


@pytest.mark.parametrize(
    ("document", "place"),
    [
        pytest.param({**without(FILE, "source"), "products": [PRODUCT]}, "source", id="no source"),
        pytest.param(
            {**FILE, "source": without(SOURCE, "published"), "products": [PRODUCT]},
            "published",
            id="no date of the document",
        ),
        pytest.param(
            {**FILE, "source": {**SOURCE, "read": date(2025, 1, 1)}, "products": [PRODUCT]},
            "source",
            id="read before it was published",
        ),
        pytest.param({**FILE, "products": []}, "products", id="no products"),
        pytest.param(
            {**FILE, "products": [without(PRODUCT, "components")]}, "products.0", id="no figures"
        ),
        pytest.param(
            {**FILE, "products": [{**PRODUCT, "role": "vat", "rates": [RATE]}]},
            "products.0",
            id="VAT with a price",
        ),
        pytest.param(
            {**FILE, "products": [{**PRODUCT, "components": [{**FEE, "kind": "other"}]}]},
            "components.0",
            id="an unknown kind of component",
        ),
        pytest.param({**FILE, "products": [PRODUCT], "town": "x"}, "town", id="an unknown field"),
    ],
)
def test_an_invalid_file_is_refused_with_its_name(
    tmp_path: Path, document: dict[str, Any], place: str
) -> None:
    path = write(tmp_path, document)
    with pytest.raises(PublishedTariffError) as refused:
        read_published(path)
    assert refused.value.path == path
    assert str(path) in str(refused.value)
    assert place in refused.value.why


def test_a_file_in_the_folder_of_another_country_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, {**FILE, "products": [PRODUCT]}, country="at")
    with pytest.raises(PublishedTariffError) as refused:
        read_published(path)
    assert refused.value.path == path


def test_a_file_that_is_no_yaml_is_refused_with_its_name(tmp_path: Path) -> None:
    path = write(tmp_path, FILE)
    path.write_text("operator: [", encoding="utf-8")
    with pytest.raises(PublishedTariffError, match=str(path)):
        read_published(path)


def test_report_ages_counts_days_since_publication_the_oldest_first(tmp_path: Path) -> None:
    law = {**SOURCE, "title": "Law", "published": date(2025, 10, 1)}
    tax = {"name": "Tax", "role": "levy", "source": law, "components": [FEE]}
    tariff = read_published(write(tmp_path, {**FILE, "products": [PRODUCT, tax]}))
    rows = report_ages(date(2025, 11, 1), (tariff,))
    # 1 October to 1 November: 31 days; 15 October to 1 November: 17.
    assert [(row.product, row.title, row.days) for row in rows] == [
        ("Tax", "Law", 31),
        ("Households", "Price sheet 2026", 17),
    ]


def test_report_ages_has_a_row_for_every_packaged_product() -> None:
    products = sum(len(tariff.products) for tariff in list_published())
    rows = report_ages(date(2026, 12, 1))
    assert len(rows) == products
    assert [row.days for row in rows] == sorted((row.days for row in rows), reverse=True)


def test_the_last_figures_go_on_until_newer_ones_are_published() -> None:
    for tariff in list_published():
        for product in tariff.products:
            names = {part.name for part in product.components}
            endless = [part.name for part in product.lasting_components if part.valid_to is None]
            assert sorted(endless) == sorted(names), (tariff.operator, product.name)
