"""The command line recommends what a database holds; no worker answers in its place."""

import json

from sqlalchemy import Engine

from luna.platform.database.engine import unit_of_work
from tests.support.command_line.call import Luna
from tests.support.documents.recommended_items import clean, store_items


def test_the_command_recommends_and_evaluates(luna_on_servers: Luna, database: Engine) -> None:
    with clean(database):
        with unit_of_work(database) as connection:
            store_items(connection, 3)
        said = luna_on_servers("recommend", "--about", "battery", "--json")
        assert said.code == 0, said.err
        assert json.loads(said.out)["recommendations"][0]["item_id"] == "item00000"
        assert luna_on_servers("recommend", "--kind", "advert").code == 2
        assert luna_on_servers("recommend", "evaluate").code == 2
        assert luna_on_servers("recommend", "refresh", "--site", "nowhere").code == 2
