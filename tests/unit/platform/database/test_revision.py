"""The newest revision, known without what migrates."""

from alembic.script import ScriptDirectory

from luna.platform.database import migrate, revision


def test_the_newest_revision_is_the_one_that_migrating_leads_to() -> None:
    assert ScriptDirectory(str(migrate.FOLDER)).get_heads() == [revision.head()]
