"""Find the sites of something that is known by an id of its own."""

from typing import Any, Literal

from sqlalchemy import CompoundSelect, Connection, Select, exists, func, select, union_all

from luna.platform.database.schema.agent import antares_plan_history
from luna.platform.database.schema.answers import answers, conversations
from luna.platform.database.schema.plans import plan_history, what_ifs
from luna.platform.database.schema.series import quarantine
from luna.platform.database.schema.sites import sites
from luna.platform.database.schema.work import jobs

Kind = Literal["plan_id", "job_id", "what_if_id", "quarantine_id", "answer_id", "conversation_id"]


def find_reference(connection: Connection, kind: Kind, reference: str | int) -> Any:
    """Return the site's name, a document with its sites, or a list of names.

    None where nothing has the id.
    """
    if kind == "quarantine_id" and not str(reference).isdecimal():
        return None
    return connection.scalar(_select(kind, reference))


def _select(kind: Kind, reference: str | int) -> Select[Any] | CompoundSelect[Any]:
    if kind == "plan_id":
        shadow = select(sites.c.name).join(
            antares_plan_history, antares_plan_history.c.site_key == sites.c.site_key
        )
        issued = select(plan_history.c.site).where(plan_history.c.plan_id == str(reference))
        return union_all(issued, shadow.where(antares_plan_history.c.plan_id == str(reference)))
    if kind == "job_id":
        return select(jobs.c.request).where(jobs.c.job_id == str(reference))
    if kind == "what_if_id":
        return select(what_ifs.c.request).where(what_ifs.c.what_if_id == str(reference))
    if kind == "answer_id":
        return select(answers.c.sites).where(answers.c.answer_id == str(reference))
    if kind == "conversation_id":
        # Its own site with those that its answers tell of.
        named = select(func.unnest(answers.c.sites)).where(
            answers.c.conversation_id == str(reference)
        )
        own_site = (
            select(sites.c.name)
            .join(conversations, conversations.c.site_key == sites.c.site_key)
            .where(conversations.c.conversation_id == str(reference))
        )
        return select(func.array(named.union(own_site).scalar_subquery())).where(
            exists().where(conversations.c.conversation_id == str(reference))
        )
    # A number beyond the column's range belongs to no row.
    number = int(reference) if int(reference) < 2**63 else -1
    return (
        select(sites.c.name)
        .join(quarantine, quarantine.c.site_key == sites.c.site_key)
        .where(quarantine.c.quarantine_id == number)
    )
