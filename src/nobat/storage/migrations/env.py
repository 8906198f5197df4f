"""Alembic's entry point. The connection, its transaction and its lock come from ``nobat.storage.migrate``."""

from alembic import context

from nobat.storage.schema import queues

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=queues.metadata,
    transactional_ddl=True,  # on SQLite too: the connection leaves transactions to us
)
with context.begin_transaction():
    context.run_migrations()
