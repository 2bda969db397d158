"""A migration leaves what the version before reads and writes: during an update both run on the
same tables.

What takes something away does so one release after nobody uses it any more, and says so:
``UNUSED_SINCE`` names the newest revision of the release that stopped using it.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from luna.platform.database import migrate
from tests.support.suite.tables import each_row

VERSIONS = Path(migrate.FOLDER) / "versions"
# The newest revision of each release; what was before the first one had no version before it.
RELEASED = ("0010",)
TAKING = {"drop_table", "drop_column", "rename_table", "drop_constraint"}
# Dropping an index or a view that is made anew takes nothing away.
TAKING_SQL = re.compile(
    r"\b(DROP\s+(TABLE|COLUMN)|RENAME\s+(TO|COLUMN)|"
    r"ALTER\s+COLUMN\s+\w+\s+(SET\s+NOT\s+NULL|TYPE)|TRUNCATE)\b",
    re.IGNORECASE,
)
NEW = sorted(path for path in VERSIONS.glob("r[0-9]*_*.py") if path.name[1:5] > RELEASED[0])


def takings(source: str) -> list[str]:
    """Return what the ``upgrade`` of a migration takes away from the version before, in words."""
    tree = ast.parse(source)
    bodies = [
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name != "downgrade"
    ]
    return [said for body in bodies for node in ast.walk(body) for said in _taken(node)]


def _taken(node: ast.AST) -> Iterator[str]:
    if (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and (found := TAKING_SQL.search(node.value))
    ):
        yield found[0]
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return
    given = {word.arg: word.value for word in node.keywords}
    if node.func.attr in TAKING:
        yield node.func.attr
    if node.func.attr == "alter_column" and (
        {"new_column_name", "type_"} & set(given) or _is(given.get("nullable"), value=False)
    ):
        yield "alter_column"
    if node.func.attr == "add_column" and any(_demands_a_value(column) for column in node.args):
        yield "add_column without a default that may not be empty"


def _demands_a_value(node: ast.expr) -> bool:
    given = {word.arg: word.value for word in node.keywords} if isinstance(node, ast.Call) else {}
    return _is(given.get("nullable"), value=False) and "server_default" not in given


def _is(node: ast.expr | None, *, value: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def unused_since(source: str) -> str | None:
    for node in ast.parse(source).body:
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id == "UNUSED_SINCE"
        ):
            return str(ast.literal_eval(node.value))
    return None


@each_row(
    ("statement", "taken"),
    [
        ("op.drop_column('sites', 'name')", ["drop_column"]),
        ("op.execute('ALTER TABLE sites DROP COLUMN name')", ["DROP COLUMN"]),
        (
            "op.execute('ALTER TABLE sites ALTER COLUMN name SET NOT NULL')",
            ["ALTER COLUMN name SET NOT NULL"],
        ),
        ("op.alter_column('sites', 'name', new_column_name='title')", ["alter_column"]),
        (
            "op.add_column('sites', Column('colour', Text, nullable=False))",
            ["add_column without a default that may not be empty"],
        ),
        (
            "op.add_column('sites', Column('colour', Text, nullable=False, server_default='red'))",
            [],
        ),
        ("op.add_column('sites', Column('colour', Text))", []),
        ("op.create_table('colours')", []),
    ],
    ids=lambda case: str(case)[:40],
)
def test_what_takes_something_away_is_seen(statement: str, taken: list[str]) -> None:
    assert (
        takings(
            f"def upgrade():\n    {statement}\ndef downgrade():\n    op.drop_table('colours')\n"
        )
        == taken
    )


def test_what_was_released_is_a_revision() -> None:
    assert all(list(VERSIONS.glob(f"r{revision}_*.py")) for revision in RELEASED)


def test_no_migration_takes_away_what_the_version_before_uses() -> None:
    sources = {path.name: path.read_text(encoding="utf-8") for path in NEW}
    taking = {name: takings(source) for name, source in sources.items() if takings(source)}
    assert {
        name: said for name, said in taking.items() if unused_since(sources[name]) not in RELEASED
    } == {}
