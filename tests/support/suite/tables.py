"""Many small cases as one test: it goes through a table and reports every row that fails."""

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeGuard, cast

import pytest

Test = Callable[..., None]


Rows = Iterable[Any] | Callable[[], Iterable[Any]]
Names = Sequence[object] | Callable[[Any], object] | None


def each_row(
    names: str | Sequence[str], rows: Rows, *, ids: Names = None
) -> Callable[[Test], Test]:
    """Run a test once for each row of a table, all of them within one test.

    What fails is reported as a subtest of its own.

    Takes what ``pytest.mark.parametrize`` takes. Fixtures are made once for all rows: a test whose
    rows would meet in one folder, connection or environment stays parametrised.

    Args:
        names: of the arguments that a row gives, as a sequence or separated by commas.
        rows: a tuple of values each, or one value where there is one name; ``pytest.param`` names
            its row. Where they take long to make, a function that makes them: every process of a
            run collects a test, and one runs it.
        ids: the rows' names, or what makes one of a value.
    """
    columns = (
        [name.strip() for name in names.split(",") if name.strip()]
        if isinstance(names, str)
        else list(names)
    )

    def read_table() -> list[tuple[Any, dict[str, Any]]]:
        made = _make_rows(rows)
        return [
            (row, dict(zip(columns, _values(row, single=len(columns) == 1), strict=True)))
            for row in made
        ]

    # A function is called when its test runs; what may be read once only is read now.
    known = None if _is_made_later(rows) else read_table()

    def decorate(test: Test) -> Test:
        wanted = inspect.signature(test)
        asked = "subtests" in wanted.parameters

        @functools.wraps(test)
        def run(*arguments: Any, subtests: pytest.Subtests, **fixtures: Any) -> None:
            table = read_table() if known is None else known
            if not table:
                pytest.skip("the table has no rows")
            own = {"subtests": subtests} if asked else {}
            for number, (row, values) in enumerate(table):
                try:
                    test(*arguments, **fixtures, **own, **values)
                # A subtest costs a millisecond: rows that pass do without.
                except (Exception, pytest.skip.Exception) as error:
                    with subtests.test(_name_row(number, row, ids)):
                        raise error from None

        parameters = [
            parameter
            for parameter in wanted.parameters.values()
            if parameter.name not in {*columns, "subtests"}
        ]
        parameters.append(
            inspect.Parameter(
                "subtests", inspect.Parameter.KEYWORD_ONLY, annotation=pytest.Subtests
            )
        )
        # What pytest reads the fixtures from.
        run.__signature__ = wanted.replace(parameters=parameters)  # type: ignore[attr-defined]
        return run

    return decorate


def _is_made_later(rows: Rows) -> TypeGuard[Callable[[], Iterable[Any]]]:
    # An enumeration is a class, which can be called, and a table of its members.
    return callable(rows) and not isinstance(rows, type)


def _make_rows(rows: Rows) -> Iterable[Any]:
    return rows() if _is_made_later(rows) else cast("Iterable[Any]", rows)


def _values(row: Any, *, single: bool) -> Sequence[Any]:
    if hasattr(row, "marks"):
        assert not row.marks, "a row with marks needs pytest.mark.parametrize"
        return tuple(row.values)
    return (row,) if single else row


def _name_row(number: int, row: Any, ids: Names) -> str:
    if getattr(row, "id", None) and hasattr(row, "marks"):
        return str(row.id)
    if callable(ids):
        return str(ids(row))
    return (
        str(ids[number])
        if ids is not None
        else repr(getattr(row, "values", row) if hasattr(row, "marks") else row)[:200]
    )
