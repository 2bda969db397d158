"""Pages of set-up for those who come from evcc, EMHASS or Predbat.

The file is read in memory: it holds passwords, and only what was understood of it becomes a draft.
"""

from typing import get_args

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from luna.drivers.profiles import list_profiles
from luna.energy.refusals import refuse
from luna.house.peer_import import MOST_FILE_BYTES, PEERS, PeerName, import_peer
from luna.platform.database import setup_drafts
from luna.platform.database.engine import unit_of_work
from services.api.gateway import CurrentGateway, Gateway
from services.api.pages.layout import Page, PageRoute, Reader, show
from services.api.pages.setup.imported import IMPORTED, begin_answers, view_import
from services.api.pages.setup.pages import DraftId
from services.api.routing import ResourceRouter
from services.api.uploads import FILE_FIELD, Form

router = ResourceRouter(route_class=PageRoute)

PAGE = Page("peer_import", "/ui/setup", "administer")
# A form has its boundaries and fields besides the file.
_MOST_FORM_BYTES = MOST_FILE_BYTES + 20_000


@router.page("GET", "/ui/setup/import", "administer")
def choose_import_file(request: Request) -> Response:
    """Ask for the program and its file."""
    return show(request, PAGE, template="setup_import.html.j2", peers=PEERS)


@router.page("POST", "/ui/setup/import", "administer", most_bytes=_MOST_FORM_BYTES)
async def take_import_file(request: Request, gateway: CurrentGateway) -> Response:
    """Begin a draft from an imported file, and lead to its result."""
    form = Form(request.headers.get("Content-Type", ""), most=1)
    files = []
    for name, pieces in form.read_files([await request.body()]):
        files.append((name[:200], b"".join(pieces)))
    if not files or not files[0][0]:
        raise refuse("form-without-file", field=FILE_FIELD)
    file_name, data = files[0]
    peer = form.fields.get("peer", [""])[-1]
    chosen = next((name for name in get_args(PeerName) if name == peer), None)
    if chosen is None:
        raise refuse("unknown-name", field="peer", names=get_args(PeerName), thing="peer")
    draft_id = await run_in_threadpool(_begin, gateway, chosen, data, file_name)
    return RedirectResponse(f"/ui/setup/{draft_id}/import", 303)


@router.page("GET", "/ui/setup/{draft_id}/import", "administer")
def show_import(draft_id: DraftId, request: Request, gateway: CurrentGateway) -> Response:
    """Show what became of each value of a file."""
    with unit_of_work(gateway.database) as connection:
        answers = setup_drafts.load(connection, draft_id)
    if IMPORTED not in answers:
        raise refuse("no-file-handed-over", field="file", draft_id=draft_id)
    view = view_import(answers, Reader.of(request).language)
    return show(request, PAGE, draft_id=draft_id, **view)


def _begin(gateway: Gateway, peer: PeerName, data: bytes, file_name: str) -> str:
    result = import_peer(peer, data, profiles=list_profiles(gateway.settings.data_folder))
    with unit_of_work(gateway.database) as connection:
        return setup_drafts.create(connection, begin_answers(result, file_name))
