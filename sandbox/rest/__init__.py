"""REST v10: every route the sandbox answers."""
