"""The migrations this program knows, oldest first: enough to judge a database without importing Alembic."""

REVISIONS = ("0001", "0002", "0003", "0004", "0005")
HEAD = REVISIONS[-1]
