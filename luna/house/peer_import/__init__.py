"""Take over a home from another energy manager: its file becomes the draft of a site.

Nothing is stored here: the result is a site and a row for each value of the file. A peer is one
module with one entry in ``PEERS``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import yaml

from luna.drivers.profile import DeviceProfile
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.house.peer_import import emhass, evcc, predbat
from luna.house.peer_import.draft import SiteDraft
from luna.house.peer_import.evcc_database import MOST_DATABASE_BYTES
from luna.house.peer_import.ledger import STATUSES, ImportRow, RowStatus
from luna.house.peer_import.peer_file import (
    PeerValue,
    parse_peer_file,
    parse_secrets_file,
)

# A database is the largest file of all; a text is bounded further where it is read.
MOST_FILE_BYTES = MOST_DATABASE_BYTES

__all__ = [
    "MOST_FILE_BYTES",
    "PEERS",
    "STATUSES",
    "ImportRow",
    "Peer",
    "PeerImport",
    "PeerName",
    "RowStatus",
    "import_peer",
]

PeerName = Literal["evcc", "emhass", "predbat"]


@dataclass(frozen=True, slots=True)
class Peer:
    """Another energy manager.

    Args:
        called: its name.
        file: the usual name of its file.
        known: names of which its file has at least one at its top.
        read: reads a file into a draft.
        parse: parses the file, with what ``!secret`` stands for.
    """

    called: str
    file: str
    known: tuple[str, ...]
    read: Callable[[PeerValue, SiteDraft, Sequence[DeviceProfile]], None]
    parse: Callable[[bytes, Mapping[str, str]], PeerValue] = parse_peer_file


PEERS: Mapping[PeerName, Peer] = {
    "evcc": Peer("evcc", "evcc.yaml", evcc.KNOWN, evcc.read_evcc, evcc.parse_evcc),
    "emhass": Peer("EMHASS", "config.json", emhass.KNOWN, emhass.read_emhass),
    "predbat": Peer("Predbat", "apps.yaml", predbat.KNOWN, predbat.read_predbat),
}


@dataclass(frozen=True, slots=True)
class PeerImport:
    """Result of a file: the site, its document without defaults, and a row per value."""

    peer: PeerName
    site: Site
    document: Mapping[str, Any]
    rows: tuple[ImportRow, ...]

    def list_rows(self, status: RowStatus) -> tuple[ImportRow, ...]:
        """Return the rows of a status, in the order of the file."""
        rows = [row for row in self.rows if row.status == status]
        return tuple(sorted(rows, key=_place_in_file))

    @property
    def text(self) -> str:
        """The site's file."""
        return yaml.safe_dump(dict(self.document), sort_keys=False, allow_unicode=True)


def import_peer(
    peer: PeerName,
    data: bytes,
    *,
    profiles: Sequence[DeviceProfile],
    name: str | None = None,
    timezone: str | None = None,
    secrets: bytes | None = None,
) -> PeerImport:
    """Read a file of another energy manager as the draft of a site.

    Args:
        peer: whose file it is.
        data: the file.
        profiles: those that this version has.
        name: of the site; None: the file's.
        timezone: of the site; None: the file's, else its country's.
        secrets: the file that ``!secret`` refers to; passwords are not taken from it.

    Raises:
        InvalidInputError: the file cannot be read, or is none of this peer; name or time zone is
            none.

    Invariants: a row tells of each value of the file, by its key or that of a branch above it; no
        value of a secret is in a row or in the site.
    """
    declared = PEERS[peer]
    root = declared.parse(data, {} if secrets is None else parse_secrets_file(secrets))
    if not any(root.find(known) is not None for known in declared.known):
        raise refuse("peer-file-other", field="file", peer=declared.called, names=declared.known)
    draft = SiteDraft()
    draft.ledger.list_secrets(root)
    declared.read(root, draft, profiles)
    draft.ledger.list_rest(root)
    site = draft.finish(name, timezone)
    return PeerImport(peer, site, draft.document, tuple(draft.ledger.rows))


def _place_in_file(row: ImportRow) -> tuple[int, str]:
    return row.line or 0, row.key
