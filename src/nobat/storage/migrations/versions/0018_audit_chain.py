"""The audit as a chain of hashes. What is there already is chained in the order in which it happened.

Rows are hashed here as ``nobat.storage.audit`` did when this was written, so that the migration stays what it is.
"""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0014"
branch_labels = None
depends_on = None

START = "0" * 64
SAID = ("run", "seq", "at", "token_id", "token_name", "role", "action", "target")
AT_ONCE = 1_000
LINKS = ("run", "seq", "number", "before", "hash")
Links = tuple[int, int, int, str, str]


def upgrade() -> None:
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("trimmed_number", sa.BigInteger, nullable=False),
        sa.Column("trimmed_hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
    )
    op.add_column("audit", sa.Column("number", sa.BigInteger))
    op.add_column("audit", sa.Column("before", sa.String(64)))
    op.add_column("audit", sa.Column("hash", sa.String(64)))
    number, last = _chain(op.get_bind())
    with op.batch_alter_table("audit") as audit:
        audit.alter_column("number", existing_type=sa.BigInteger, nullable=False)
        audit.alter_column("before", existing_type=sa.String(64), nullable=False)
        audit.alter_column("hash", existing_type=sa.String(64), nullable=False)
        audit.create_unique_constraint("uq_audit_number", ["number"])
    head = sa.text("INSERT INTO audit_head (id, number, hash, trimmed_number, trimmed_hash) VALUES (1, :n, :h, 0, :s)")
    op.execute(head.bindparams(n=number, h=last, s=START))


def _chain(connection: sa.Connection) -> tuple[int, str]:
    """Give every row its place and its hash; the last ones."""
    kinds: dict[str, Any] = {
        "run": sa.BigInteger,
        "seq": sa.BigInteger,
        "at": sa.DateTime(timezone=True),
        "number": sa.BigInteger,
    }
    names = (*SAID, "number", "before", "hash")
    audit = sa.table("audit", *(sa.column(name, kinds.get(name, sa.String)) for name in names))
    column = audit.c
    wanted = sa.select(*(column[name] for name in SAID)).order_by(column.at, column.run, column.seq)
    write = _into_postgres if connection.dialect.name == "postgresql" else _into_sqlite
    number, last = 0, START
    rows = connection.execute(wanted).mappings().all()
    for start in range(0, len(rows), AT_ONCE):
        values = []
        for row in rows[start : start + AT_ONCE]:
            number += 1
            before, last = last, _digest(number, last, row)
            values.append((row["run"], row["seq"], number, before, last))
        write(connection, values)
    return number, last


def _into_sqlite(connection: sa.Connection, values: list[Links]) -> None:
    change = "UPDATE audit SET number = :number, before = :before, hash = :hash WHERE run = :run AND seq = :seq"
    connection.execute(sa.text(change), [dict(zip(LINKS, row, strict=True)) for row in values])


def _into_postgres(connection: sa.Connection, values: list[Links]) -> None:
    """All rows by one statement: one each takes ten times as long, in which no call is routed."""
    kinds = ("bigint", "bigint", "bigint", "text", "text")
    arrays = ", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in zip(LINKS, kinds, strict=True))
    change = (
        f"UPDATE audit SET number = n.number, before = n.before, hash = n.hash FROM unnest({arrays}) AS n({', '.join(LINKS)})"  # noqa: S608
        " WHERE audit.run = n.run AND audit.seq = n.seq"
    )
    columns = zip(*values, strict=True)
    connection.execute(sa.text(change), {name: list(column) for name, column in zip(LINKS, columns, strict=True)})


def _digest(number: int, before: str, row: Any) -> str:
    said = [_plain(row[name]) for name in SAID]
    text = json.dumps(["nobat-audit-1", number, before, *said], ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _plain(value: Any) -> Any:
    if not isinstance(value, datetime):
        return value
    moment = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def downgrade() -> None:
    with op.batch_alter_table("audit") as audit:
        audit.drop_constraint("uq_audit_number", type_="unique")
        for name in ("number", "before", "hash"):
            audit.drop_column(name)
    op.drop_table("audit_head")
