"""Read another energy manager's file into values that know their key and line.

The file is foreign: its size, depth and number of values are bounded, aliases are counted as often
as they are used, and a value behind a key that names a secret is dropped while it is read.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import yaml

from luna.energy.errors import LunaError
from luna.energy.refusals import refuse

# A long evcc.yaml has 30 kB, the state of a house with forecasts 150 kB.
MOST_BYTES = 300_000
MOST_VALUES = 20_000
MOST_DEPTH = 24
# Keys whose values are never kept: credentials, and what identifies an account or a car.
_SECRET_KEY = re.compile(
    r"(?i)(pass(word|wd)?|secret|token|api_?key|_key|private|credential|certificate|accesskey"
    r"|auth|vin|user(name)?|email|account|serialnumber|homeid)$"
    r"|^(vin|app|public|sponsortoken|securitytoken|recipients|octopus_api_account)$"
)
# A car's PIN; that of a relay has two digits.
_PIN = re.compile(r"\d{4,}")
# An address with credentials in it.
_SECRET_ADDRESS = re.compile(
    r"://[^/\s]*@|[?&](token|key|apikey|password|access_token)=", re.IGNORECASE
)
_TABS = re.compile(r"^\t+", re.MULTILINE)
_MERGED = "tag:yaml.org,2002:merge"
_PLAIN = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True, eq=False)
class PeerValue:
    """A value of the file.

    Args:
        key: path from the file's top, such as ``meters.0.host``.
        line: where it stands, from 1; 0: its file has no lines.
        text: of a scalar as written, without quotes; empty for what is no scalar, and for secrets.
        tag: of a value that stands elsewhere, such as ``!secret``; empty: none.
        members: of a mapping, by name, the last of a name.
        items: of a list.
        repeated: members whose name comes again later.
        is_secret: its value was dropped.
    """

    key: str
    line: int
    text: str = ""
    tag: str = ""
    members: Mapping[str, "PeerValue"] = field(default_factory=dict)
    items: tuple["PeerValue", ...] = ()
    repeated: tuple["PeerValue", ...] = ()
    is_secret: bool = False

    @property
    def is_scalar(self) -> bool:
        """Whether it is a single value, empty ones included."""
        return not (self.members or self.items or self.repeated)

    def find(self, *names: str) -> "PeerValue | None":
        """Return the first member of these names, whatever their case; None without one."""
        by_name = {name.casefold(): member for name, member in self.members.items()}
        for name in names:
            member = by_name.get(name.casefold())
            if member is not None:
                return member
        return None

    def each(self) -> tuple["PeerValue", ...]:
        """Return a list's items; of anything else the value itself."""
        return self.items or (self,)

    def leaves(self) -> Iterator["PeerValue"]:
        """Yield the scalars below it, or itself."""
        if self.is_scalar:
            yield self
            return
        for below in (*self.members.values(), *self.items, *self.repeated):
            yield from below.leaves()


def parse_peer_file(data: bytes, others: Mapping[str, str] | None = None) -> PeerValue:
    """Parse a file of YAML or JSON.

    Args:
        data: the file.
        others: what ``!secret`` stands for, by name; a secret is not taken from there either.

    Raises:
        InvalidInputError: it is too large, no text, no YAML, several documents, holds too many
            values, or no named values; names the line.
    """
    if len(data) > MOST_BYTES:
        raise refuse("peer-file-large", field="file", bytes=len(data), most_bytes=MOST_BYTES)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise refuse("file-no-text", field="file") from exc
    if text.lstrip().startswith("{"):
        # JSON may be indented by tabs, YAML may not.
        text = _TABS.sub(" ", text)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as exc:
        raise _explain(exc) from exc
    except RecursionError as exc:
        raise refuse("peer-file-deep", field="file", line=1, most_depth=MOST_DEPTH) from exc
    if not isinstance(root, yaml.MappingNode) or not root.value:
        raise refuse("peer-file-unnamed", field="file")
    return _Tree(others or {}).read(root, key="", depth=0)


def drop_lines(value: PeerValue) -> PeerValue:
    """Return a value of a file without lines, such as a database."""
    return replace(
        value,
        line=0,
        members={name: drop_lines(member) for name, member in value.members.items()},
        items=tuple(drop_lines(item) for item in value.items),
        repeated=tuple(drop_lines(member) for member in value.repeated),
    )


def parse_secrets_file(data: bytes) -> dict[str, str]:
    """Parse the file that ``!secret`` refers to, without what is a secret by its name.

    Raises:
        InvalidInputError: as ``parse_peer_file`` does.
    """
    root = parse_peer_file(data)
    plain = {}
    for name, value in root.members.items():
        if value.is_scalar and value.text and not value.is_secret:
            plain[name] = value.text
    return plain


def _explain(error: yaml.YAMLError) -> LunaError:
    mark = getattr(error, "problem_mark", None)
    line = 1 if mark is None else mark.line + 1
    problem = str(getattr(error, "problem", None) or "")
    if "another document" in problem:
        return refuse("peer-file-documents", field="file", line=line)
    if r"'\t'" in problem:
        return refuse("peer-file-tab", field="file", line=line)
    return refuse("peer-file-no-yaml", field="file", line=line)


class _Tree:
    """Turns nodes of YAML into values, and counts them."""

    def __init__(self, others: Mapping[str, str]) -> None:
        self._others = others
        self._count = 0

    def read(self, node: yaml.Node, *, key: str, depth: int) -> PeerValue:
        line = node.start_mark.line + 1
        self._count += 1
        if self._count > MOST_VALUES:
            raise refuse("peer-file-values", field="file", line=line, most=MOST_VALUES)
        if depth > MOST_DEPTH:
            raise refuse("peer-file-deep", field="file", line=line, most_depth=MOST_DEPTH)
        tag = "" if node.tag.startswith(_PLAIN) else node.tag
        is_secret = _SECRET_KEY.search(_last_name(key)) is not None
        if isinstance(node, yaml.ScalarNode):
            is_pin = _last_name(key) == "pin" and _PIN.fullmatch(node.value) is not None
            is_secret = is_secret or is_pin or _SECRET_ADDRESS.search(node.value) is not None
            found = self._others.get(node.value)
            if tag == "!secret" and found is not None and not is_secret:
                return PeerValue(key, line, found)
            is_empty = node.tag == f"{_PLAIN}null"
            text = "" if is_empty or (is_secret and not tag) else node.value
            # A secret that is empty or "stands elsewhere" is none.
            return PeerValue(key, line, text, tag, is_secret=is_secret and not is_empty)
        if isinstance(node, yaml.SequenceNode):
            items = []
            for place, item in enumerate(node.value):
                items.append(self.read(item, key=f"{key}.{place}", depth=depth + 1))
            return PeerValue(key, line, tag=tag, items=tuple(items))
        return self._read_mapping(node, key=key, depth=depth, tag=tag)

    def _read_mapping(self, node: yaml.Node, *, key: str, depth: int, tag: str) -> PeerValue:
        members: dict[str, PeerValue] = {}
        inherited: dict[str, PeerValue] = {}
        repeated: list[PeerValue] = []
        for name_node, value_node in node.value:
            if name_node.tag == _MERGED:
                # What an anchor brings holds where the mapping itself says nothing.
                merged = self.read(value_node, key=key, depth=depth + 1)
                for source in merged.each():
                    inherited = {**source.members, **inherited}
                continue
            name = name_node.value if isinstance(name_node, yaml.ScalarNode) else "?"
            there = f"{key}.{name}" if key else name
            if name in members:
                repeated.append(members[name])
            value = self.read(value_node, key=there, depth=depth + 1)
            # The line of the name, where somebody looks for it.
            line = name_node.start_mark.line + 1
            members[name] = replace(value, line=line)
        members = {**inherited, **members}
        return PeerValue(
            key,
            node.start_mark.line + 1,
            tag=tag,
            members=members,
            repeated=tuple(repeated),
        )


def _last_name(key: str) -> str:
    """Return the last name of a key; a list's items have the list's."""
    names = [name for name in key.split(".") if not name.isdigit()]
    return names[-1] if names else ""
