"""The routers of all pages."""

from services.api.pages import (
    assets,
    data,
    edge_lab,
    energy,
    file_guess,
    forecasts,
    home,
    job_part,
    operator_limits,
    planning,
    savings,
    site_events,
    what_ifs,
)
from services.api.pages.account import people, sign_in
from services.api.pages.admin import extras, messages
from services.api.pages.admin import pages as admin_pages
from services.api.pages.agent import page as agent_page
from services.api.pages.knowledge import asking, documents, tips
from services.api.pages.setup import file_page, find_page, import_page, plan_page, site_page
from services.api.pages.setup import pages as setup_pages
from services.api.routing import ResourceRouter

PAGE_ROUTERS: tuple[ResourceRouter, ...] = (
    people.router,
    sign_in.router,
    extras.router,
    messages.router,
    admin_pages.router,
    agent_page.router,
    assets.router,
    data.router,
    edge_lab.router,
    energy.router,
    file_guess.router,
    forecasts.router,
    home.router,
    job_part.router,
    asking.router,
    documents.router,
    tips.router,
    planning.router,
    operator_limits.router,
    savings.router,
    file_page.router,
    find_page.router,
    import_page.router,
    setup_pages.router,
    plan_page.router,
    site_page.router,
    site_events.router,
    what_ifs.router,
)
