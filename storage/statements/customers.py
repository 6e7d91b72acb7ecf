"""Statements about customers."""

from typing import Any

from licensing.models import Customer
from licensing.ports import Steps
from storage.statements.base import Statement, columns_of, first_of
from storage.statements.words import words_of

_SELECT = f"SELECT {columns_of(Customer)} FROM customers WHERE"


class CustomerStatements:
    """See `licensing.tables.Customers`."""

    def get(self, organization_id: int, customer_id: int) -> Steps[Customer | None]:
        sql = f"{_SELECT} organization_id = :organization AND id = :id"
        return first_of(Customer, (yield Statement(sql, {"organization": organization_id, "id": customer_id})))

    def by_discord(self, organization_id: int, discord_id: int) -> Steps[Customer | None]:
        sql = f"{_SELECT} organization_id = :organization AND discord_id = :discord"
        values = {"organization": organization_id, "discord": discord_id}
        return first_of(Customer, (yield Statement(sql, values)))

    def by_email(self, organization_id: int, email: str) -> Steps[Customer | None]:
        sql = f"{_SELECT} organization_id = :organization AND email = :email"
        values = {"organization": organization_id, "email": email}
        return first_of(Customer, (yield Statement(sql, values)))

    def insert(self, customer: Customer, *, now_ms: int) -> Steps[Customer]:
        rows = yield Statement(
            "INSERT INTO customers"
            " (organization_id, discord_id, email, name, created_at_ms, updated_at_ms, words)"
            " VALUES (:organization_id, :discord_id, :email, :name, :now, :now, :words) RETURNING id",
            _values(customer, now_ms),
        )
        return customer.model_copy(update={"id": rows[0][0]})

    def save(self, customer: Customer, *, now_ms: int) -> Steps[None]:
        yield Statement(
            "UPDATE customers SET discord_id = :discord_id, email = :email, name = :name,"
            " updated_at_ms = :now, words = :words WHERE id = :id",
            _values(customer, now_ms),
        )


def _values(customer: Customer, now_ms: int) -> dict[str, Any]:
    return {**customer.model_dump(), "words": words_of(customer.name, customer.email), "now": now_ms}
