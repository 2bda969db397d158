"""Whatever stands in another program's file: each value has a row, secrets stay in the file, and
the site is valid.
"""

from typing import Any, get_args

import yaml
from hypothesis import given
from hypothesis import strategies as st

from luna.drivers.profiles import list_profiles
from luna.energy.site import parse_site
from luna.house.peer_import import PeerName, import_peer
from luna.house.peer_import.peer_file import parse_peer_file
from tests.support.peer_import.samples import list_samples

PROFILES = list_profiles()
SECRET = "never-to-be-seen"
KNOWN = {"evcc": "site", "emhass": "costfun", "predbat": "pred_bat"}
PEERS: tuple[PeerName, ...] = get_args(PeerName)


def read_sample(text: str) -> Any:
    return yaml.safe_load(text.replace("!secret ", "secret of "))


DOCUMENTS = {
    peer: [read_sample(path.read_text(encoding="utf-8")) for path in list_samples(peer)]
    for peer in PEERS
}
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**6), 10**6)
    | st.floats(allow_nan=False, allow_infinity=False, width=32)
    | st.sampled_from(["re:sensor.(a|b)", "{x}", "10:00", "", "template", "0", "1", "-1", "ä b"])
    | st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["a", "token", "start", "rate", "hours"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


def list_places(document: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner: list[tuple[Any, Any]] = []
    if isinstance(document, dict):
        inner = [*document.items()]
    elif isinstance(document, list):
        inner = [*enumerate(document)]
    places = [place] if place else []
    for key, value in inner:
        places += list_places(value, (*place, key))
    return places


@given(data=st.data(), peer=st.sampled_from(PEERS))
def test_a_changed_file_is_told_whole_and_keeps_its_secrets(
    data: st.DataObject, peer: PeerName
) -> None:
    document = yaml.safe_load(yaml.safe_dump(data.draw(st.sampled_from(DOCUMENTS[peer]))))
    for _ in range(data.draw(st.integers(1, 3))):
        places = list_places(document)
        if not places:
            break
        *before, last = data.draw(st.sampled_from(places))
        parent = document
        for key in before:
            parent = parent[key]
        parent[last] = data.draw(ANYTHING)
    # Names by which a file of the program is known.
    document.setdefault(KNOWN[peer], {})
    document["my_password"] = SECRET
    text = yaml.safe_dump(document).encode()
    result = import_peer(peer, text, profiles=PROFILES)
    keys = {row.key for row in result.rows if row.key}
    for leaf in parse_peer_file(text).leaves():
        parts = leaf.key.split(".")
        assert any(".".join(parts[:count]) in keys for count in range(1, len(parts) + 1)), leaf.key
    assert SECRET not in f"{result.rows}{result.text}"
    assert parse_site(dict(result.document)) == result.site
