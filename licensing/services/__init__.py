"""The use cases: each loads and locks, asks a pure rule, saves, and appends its event, in one transaction."""
