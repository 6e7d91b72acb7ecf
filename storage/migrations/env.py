"""Alembic's entry: runs on the connection that `storage.migrate` hands in."""

from alembic import context

from storage.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=False,  # the caller holds one transaction around the whole upgrade
)
context.run_migrations()
