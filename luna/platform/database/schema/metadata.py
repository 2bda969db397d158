"""Share names of constraints and column types between all tables."""

from typing import Any

from sqlalchemy import Column, DateTime, LargeBinary, MetaData, Text, func
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION, JSONB

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)


def text(name: str, comment: str | None = None, **options: Any) -> Column[str]:
    return Column(name, Text, comment=comment, **({"nullable": False} | options))


def instant(name: str, comment: str | None = None, **options: Any) -> Column[Any]:
    return Column(name, DateTime(timezone=True), comment=comment, **({"nullable": False} | options))


def recorded(name: str = "recorded_at") -> Column[Any]:
    return Column(
        name,
        DateTime(timezone=True),
        nullable=False,
        server_default=func.now(),
        comment="when the row was written",
    )


def number(name: str, comment: str | None = None, **options: Any) -> Column[float]:
    return Column(name, DOUBLE_PRECISION, comment=comment, **options)


def document(name: str, comment: str | None = None, **options: Any) -> Column[Any]:
    return Column(name, JSONB, comment=comment, **({"nullable": False} | options))


def packed(
    name: str, comment: str | None = None, *, nullable: bool = False, **options: Any
) -> Column[bytes]:
    return Column(name, LargeBinary, comment=comment, nullable=nullable, **options)
