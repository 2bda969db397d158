"""Who uses a file of the repository: by imports, by fixtures, and by its name where nothing imports
it.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from pathlib import Path, PurePosixPath

import grimp

from tests.selection.ranking import FOLDERS, split_words

ROOTS = ("luna", "services", "tests", "bench", "docs", "infra")
CACHE = "var/grimp"
# What can name a file and hand its change on; pages of the documentation link each other and would
# hand it on to all.
NAMING = {".py", ".j2", ".js", ".ts", ".css", ".yml", ".yaml", ".conf", ".mako", ""}
SKIPPED = {"node_modules", "static", "__pycache__", "recordings", "replies"}
DYNAMIC = ("import_module(", "iter_modules(", "walk_packages(")
_PARAMETERS = re.compile(r"\bdef \w+\(([^)]*)\)")
_NAMED_FIXTURES = re.compile(r"(?:usefixtures|getfixturevalue)\(([^)]*)\)")
_WORD = re.compile(r"\w+")
_LITERAL = re.compile(r"\"([^\"\n]{2,120})\"|'([^'\n]{2,120})'")
_PATH = re.compile(r"\w[\w-]*(?:[./][\w-]+)+")


class Repository:
    """The files below a root and who uses them; read once, names only where they are asked for."""

    def __init__(self, root: Path, roots: Iterable[str] = ROOTS) -> None:
        self._root = root
        self._roots = [name for name in roots if (root / name).is_dir()]

    @cached_property
    def tests(self) -> dict[str, frozenset[str]]:
        """All test files, with the words that each is written in."""
        found = [
            path
            for path in self._texts
            if path.startswith(FOLDERS) and PurePosixPath(path).match("test_*.py")
        ]
        return {path: split_words(f"{path} {self._texts[path]}") for path in found}

    @cache  # noqa: B019 - one repository a process
    def users_of(self, path: str) -> Mapping[str, int]:
        """Return who uses a file, and over how many hops: who imports it, and where nothing but
        tests does, who names it.
        """
        users = self._imports.get(path, {})
        if (path.startswith("tests/") and ".py" in path) or any(
            not user.startswith("tests/") for user in users
        ):
            return users
        return dict(self._find_naming(path)) | users

    @cached_property
    def _texts(self) -> dict[str, str]:
        found = [path for path in self._root.iterdir() if path.is_file()]
        for name in self._roots:
            found += self._walk(self._root / name)
        return {
            str(path.relative_to(self._root)): path.read_text(errors="replace")
            for path in found
            if path.suffix in NAMING
        }

    def _walk(self, folder: Path) -> Iterator[Path]:
        for path in folder.iterdir():
            if path.is_dir() and path.name not in SKIPPED:
                yield from self._walk(path)
            elif path.is_file():
                yield path

    @cached_property
    def _files(self) -> dict[str, str]:
        """The file of each module."""
        return {_module_of(path): path for path in self._texts if path.endswith(".py")}

    @cached_property
    def _imports(self) -> dict[str, dict[str, int]]:
        graph = grimp.build_graph(*self._roots, cache_dir=str(self._root / CACHE))
        users: dict[str, dict[str, int]] = defaultdict(dict)
        for importer in graph.modules & self._files.keys():
            path = self._files[importer]
            # What a fixture needs, only its users depend on.
            if not path.endswith("/conftest.py"):
                for needed in self._resolve(
                    path, graph.find_modules_directly_imported_by(importer)
                ):
                    users[needed][path] = 1
        for needed, user in self._fixture_uses():
            users[needed][user] = 1
        return users

    def _resolve(self, path: str, modules: Iterable[str]) -> Iterator[str]:
        """Yield the files of imported modules, and where a package is imported, those of its
        modules that define the names used.
        """
        for module in modules:
            if module in self._files:
                yield self._files[module]
            exported = self._exports.get(module)
            if exported:
                text = self._texts[path]
                yield from {
                    self._files[definer] for name, definer in exported.items() if name in text
                }

    @cached_property
    def _exports(self) -> dict[str, dict[str, str]]:
        """By package, the names that it hands on and the modules which define them."""
        packages = {
            module: path
            for module, path in self._files.items()
            if path.endswith("/__init__.py") and path.startswith(("luna/", "services/"))
        }
        return {
            package: {
                alias.asname or alias.name: node.module
                for node in ast.walk(ast.parse(self._texts[path]))
                if isinstance(node, ast.ImportFrom) and node.module in self._files
                for alias in node.names
            }
            for package, path in packages.items()
            if "import" in self._texts[path]
        }

    def _fixture_uses(self) -> Iterator[tuple[str, str]]:
        """Yield what is used and by whom: needs by fixtures, fixtures and their ``conftest.py`` by
        the tests that ask for them.
        """
        by_folder = {
            path.removesuffix("conftest.py"): self._read_fixtures(path)
            for path in self._texts
            if path.endswith("/conftest.py")
        }
        for folder, fixtures in by_folder.items():
            conftest = f"{folder}conftest.py"
            users = {
                path: _asked_fixtures(self._texts[path])
                for path in self.tests
                if path.startswith(folder)
            }
            for name, needs in fixtures.items():
                node = f"{conftest}::{name}"
                yield from ((need, node) for need in needs)
                for path, asked in users.items():
                    if name in asked:
                        yield from ((node, path), (conftest, path))

    def _read_fixtures(self, path: str) -> dict[str, set[str]]:
        """Return the fixtures of a ``conftest.py`` with the files, and the other fixtures, that
        each needs.
        """
        tree = ast.parse(self._texts[path])
        functions = {
            node.name: node
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        imported = dict(self._imported_names(tree.body))

        def find_needs(name: str, seen: frozenset[str]) -> set[str]:
            inside = list(ast.walk(functions[name]))
            names = {node.id for node in inside if isinstance(node, ast.Name)} | {
                node.arg for node in inside if isinstance(node, ast.arg)
            }
            needs = {imported[each] for each in names & imported.keys()} | {
                file for _, file in self._imported_names(inside)
            }
            called = (names & functions.keys()) - seen
            return needs.union(*(find_needs(each, seen | called) for each in called))

        return {name: find_needs(name, frozenset({name})) for name in functions}

    def _imported_names(self, nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
        for node in nodes:
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    defined = self._exports.get(node.module, {}).get(alias.name, node.module)
                    file = self._files.get(f"{node.module}.{alias.name}", self._files.get(defined))
                    if file is not None:
                        yield alias.asname or alias.name, file

    def _find_naming(self, path: str) -> Iterator[tuple[str, int]]:
        """Yield who names a file: by folder or stem at two hops, then by path, name or module at
        one.
        """
        place = PurePosixPath(path)
        folders = [str(parent) for parent in place.parents if len(parent.parts) > 1]
        named, whole = self._names
        far = (
            named.keys() & {*folders},
            whole.keys() & {place.name.partition(".")[0], place.parent.name},
        )
        near = (
            {path, _module_of(path)}
            if place.suffix == ".py"
            else {path, place.name if place.suffix else "/".join(place.parts[-2:])}
        )
        yield from (
            (user, 2)
            for names, index in zip(far, (named, whole), strict=True)
            for name in names
            for user in index[name]
        )
        yield from ((user, 1) for name in near for user in named.get(name, ()))
        if place.suffix == ".py":
            packages = [folder.replace("/", ".") for folder in folders]
            yield from (
                (user, 1)
                for user in self._importing_by_name
                if any(package in self._texts[user] for package in packages)
            )

    @cached_property
    def _importing_by_name(self) -> list[str]:
        return [
            path
            for path, text in self._texts.items()
            if path.endswith(".py") and any(call in text for call in DYNAMIC)
        ]

    @cached_property
    def _names(self) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
        """Who names what: paths, their ends and modules inside of any literal.

        Words that are a whole literal.
        """
        named: defaultdict[str, set[str]] = defaultdict(set)
        whole: defaultdict[str, set[str]] = defaultdict(set)
        for user, text in self._texts.items():
            found = (
                {double or single for double, single in _LITERAL.findall(text)}
                if user.endswith(".py")
                else {text}
            )
            for literal in found:
                if _WORD.fullmatch(literal):
                    whole[literal].add(user)
                for token in _PATH.findall(literal):
                    named[token].add(user)
                    named[token.rpartition("/")[2]].add(user)
        return named, whole


def _module_of(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _asked_fixtures(text: str) -> set[str]:
    """Return every name that a function of a test file takes or a mark names."""
    return {
        word
        for found in (*_PARAMETERS.findall(text), *_NAMED_FIXTURES.findall(text))
        for word in _WORD.findall(found)
    }
