"""Alembic's entry: the transaction and its lock belong to ``luna.platform.database.migrate``."""

from alembic import context

from luna.platform.database.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
context.run_migrations()
