"""Alembic's entry point. The connection, with its transaction and lock, comes from rag.database or the command line."""

from alembic import context

from rag.tables import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True, compare_type=True)
context.run_migrations()
