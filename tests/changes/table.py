"""A new table, by a revision on top of the newest: it comes under the data that are there, and a
backup from before it leads back, or up to it.
"""

from alembic.script import ScriptDirectory

from tests.changes.change import ROOT, Change, Edit

HEAD = ScriptDirectory(str(ROOT / "luna/platform/database/migrations")).get_current_head()

# Before the last table of its module.
TABLE = """visits = Table(
    "visits",
    metadata,
    Column("site_key", ForeignKey(sites.c.site_key, ondelete="CASCADE"), primary_key=True),
    Column("visit", Integer, primary_key=True, autoincrement=False, comment="1, 2, 3, … per site"),
    text("visitor", "who came"),
    comment="A visit to a site",
)

setup_drafts = Table(
"""

REVISION = f'''"""Who visited a site."""

from alembic import op

revision = "9999"
down_revision = "{HEAD}"
branch_labels = None
depends_on = None

CREATE = """
CREATE TABLE visits (
    site_key integer NOT NULL,
    visit integer NOT NULL,
    visitor text NOT NULL,
    CONSTRAINT pk_visits PRIMARY KEY (site_key, visit),
    CONSTRAINT fk_visits_site_key_sites
        FOREIGN KEY (site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
COMMENT ON TABLE visits IS 'A visit to a site';
COMMENT ON COLUMN visits.visit IS '1, 2, 3, … per site';
COMMENT ON COLUMN visits.visitor IS 'who came';
"""


def upgrade() -> None:
    op.execute(CREATE)


def downgrade() -> None:
    op.drop_table("visits")
'''

# A home of the revision before, with fifty quarter-hours and a backup of them.
PROOF = """
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from luna.platform.database import backups, engine, migrate
from luna.platform.database.revision import current
from luna.platform.database.schema import metadata
from services.backup.restore import restore
from tests.support.database.server_folders import server_folder
from tests.support.database.home_to_back_up import kept_home

BEFORE = "HEAD"
# A restore asks for vectors anew.
LEFT_OUT = ("alembic_version", "jobs")


def address(database):
    return database.url.render_as_string(hide_password=False)


def read(database):
    with engine.own_session(database) as connection:
        rows = {name: count.rows for name, count in backups.count_tables(connection).items()}
        return current(connection), {
            name: count for name, count in rows.items() if name not in LEFT_OUT
        }


with server_folder() as parent:
    home = kept_home(parent)
    with home.open() as database:
        migrate.upgrade(address(database), BEFORE)
        with engine.unit_of_work(database) as connection:
            connection.execute(text("INSERT INTO sites (name) VALUES ('home')"))
        for slot in range(50):
            home.observe(database, slot)
    backup = home.back_up().backup_id

    with home.open() as database:
        revision, before = read(database)
        migrate.upgrade(address(database))
        upgraded, after = read(database)
        assert (revision, upgraded) == (BEFORE, "9999")
        assert before["slot_observations"] == 50
        assert after == before | {"visits": 0}
        with database.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []

    restore(home.settings, backup, as_it_was=True)
    with home.open() as database:
        assert read(database) == (BEFORE, before)

    restore(home.settings, backup)
    with home.open() as database:
        assert read(database) == ("9999", after)
""".replace("HEAD", str(HEAD))

CHANGE = Change(
    "table",
    (
        Edit(
            "luna/platform/database/schema/sites.py",
            TABLE,
            after="setup_drafts = Table(",
            instead=True,
        ),
        Edit("luna/platform/database/migrations/versions/r9999_visits.py", REVISION),
    ),
    PROOF,
)
