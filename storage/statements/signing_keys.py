"""Statements about what answers are signed with."""

from collections.abc import Sequence

from licensing.models import SigningKey
from licensing.tables import Steps
from storage.statements.base import Statement, columns_of, record_of

_COLUMNS = columns_of(SigningKey)
SIGNING_KEYS = f"SELECT {_COLUMNS} FROM signing_keys WHERE product_id = :product ORDER BY signs_from_ms DESC, id"


class SigningKeyStatements:
    """See `licensing.tables.SigningKeys`."""

    def of(self, product_id: int) -> Steps[Sequence[SigningKey]]:
        rows = yield Statement(SIGNING_KEYS, {"product": product_id})
        return [record_of(SigningKey, row) for row in rows]

    def insert(self, key: SigningKey) -> Steps[None]:
        yield Statement(
            "INSERT INTO signing_keys (id, product_id, kind, public, sealing_id, sealed, created_at_ms,"
            " signs_from_ms, signs_until_ms) VALUES (:id, :product_id, :kind, :public, :sealing_id, :sealed,"
            " :created_at_ms, :signs_from_ms, :signs_until_ms)",
            key.model_dump(),
        )

    def end(self, key_id: str, *, signs_until_ms: int) -> Steps[None]:
        sql = "UPDATE signing_keys SET signs_until_ms = :until WHERE id = :id"
        yield Statement(sql, {"id": key_id, "until": signs_until_ms})

    def forget(self, product_id: int, *, before_ms: int) -> Steps[None]:
        sql = "DELETE FROM signing_keys WHERE product_id = :product AND signs_until_ms < :before"
        yield Statement(sql, {"product": product_id, "before": before_ms})
