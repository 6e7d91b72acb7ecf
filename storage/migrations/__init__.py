"""One history of the schema for both engines, run by Alembic."""
