"""Addresses of a database as people write them."""

import pytest

from luna.energy.errors import InvalidInputError
from luna.platform.database.engine import parse_address
from tests.support.suite.tables import each_row


@each_row("scheme", ["postgresql+psycopg", "postgresql", "postgres", "postgresql+psycopg2"])
def test_every_way_to_write_a_postgresql_is_spoken_to_through_psycopg(scheme: str) -> None:
    address = parse_address(f"{scheme}://luna:word@db:5432/luna?sslmode=disable")
    assert (
        address.render_as_string(hide_password=False)
        == "postgresql+psycopg://luna:word@db:5432/luna?sslmode=disable"
    )


@each_row("url", ["nonsense", "", "mysql://luna:geheim@db/luna", "postgresql//luna:geheim@db"])
def test_anything_else_is_refused_without_saying_its_password(url: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        parse_address(url)
    assert (raised.value.field, raised.value.reason) == ("LUNA_DATABASE_URL", "not-the-address")
    assert "geheim" not in str(raised.value)
