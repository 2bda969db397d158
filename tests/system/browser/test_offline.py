"""Luna as an app of a phone: its language, what is installed, and the last state while there is no
connection.
"""

import re

from playwright.sync_api import Page, expect

from tests.support.browser.page import GERMAN_PHONE, PHONE, Open

HOME = "/ui/sites/demo/home"
KEPT = """async () => {
  const names = (await caches.keys()).filter((name) => name.startsWith("luna-pages-"));
  const requests = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
  return requests.flat().map(({ method, url }) => `${method} ${new URL(url).pathname}`);
}"""

# Each file that the page has loaded can be had without a connection.
FILES_KEPT = """async () => {
  const files = await caches.open("luna-files");
  const loaded = performance.getEntriesByType("resource")
    .map(({ name }) => name)
    .filter((name) => new URL(name).pathname.startsWith("/static/"));
  const matches = loaded.map((name) => files.match(name, { ignoreVary: true }));
  return loaded.length > 0 && (await Promise.all(matches)).every(Boolean);
}"""


def wait_until(page: Page, question: str, *, tries: int = 600) -> None:
    """Wait until the page answers a question with yes: ``wait_for_function`` takes the promise of
    an asynchronous one for a yes.
    """
    for _ in range(tries):
        if page.evaluate(question):
            return
        page.wait_for_timeout(50)
    raise AssertionError(question)


def open_app(open_page: Open) -> Page:
    """Open Home on a phone, once its worker has kept it with its chart and its files."""
    page = open_page(HOME, service_workers="allow", **GERMAN_PHONE)
    expect(page.locator("#chart canvas")).to_be_visible()
    wait_until(
        page,
        "async () => (await (await caches.open('luna-parts')).keys()).some(({ url }) => "
        "url.includes('/timeline'))",
    )
    wait_until(page, f"async () => (await ({KEPT})()).join() === 'GET {HOME}'")
    wait_until(page, FILES_KEPT)
    return page


def test_without_a_connection_the_last_state_is_shown_as_old_and_anew_once_there_is_one(
    open_page: Open,
) -> None:
    page = open_app(open_page)
    sentence = page.locator("#headline").inner_text()
    page.context.set_offline(offline=True)
    page.reload()
    expect(page.locator("#stale")).to_have_text(re.compile(r"^Stand \d\d:\d\d, keine Verbindung$"))
    expect(page.locator("#headline")).to_have_text(sentence)
    expect(page.locator("#chart canvas")).to_be_visible()
    # What was never looked at is not there, and nothing can be changed.
    expect(page.locator("form[method=post] button:enabled")).to_have_count(0)
    page.context.set_offline(offline=False)
    expect(page.locator("#stale")).to_have_count(0)
    expect(page.locator("#headline")).to_have_text(sentence)


def test_an_open_page_says_that_its_connection_went_and_nothing_is_kept_once_signed_out(
    open_page: Open,
) -> None:
    page = open_app(open_page)
    page.context.set_offline(offline=True)
    expect(page.locator("#stale")).to_contain_text("keine Verbindung")
    page.context.set_offline(offline=False)
    expect(page.locator("#stale")).to_have_count(0)
    page.evaluate(
        "fetch('/ui/logout', { method: 'POST', headers: { 'X-CSRF-Token': "
        "document.body.dataset.csrf ?? '' } }).then(() => true)"
    )
    wait_until(page, f"async () => (await ({KEPT})()).length === 0")


def test_the_language_is_chosen_on_a_phone(open_page: Open) -> None:
    page = open_page(HOME, **PHONE)
    page.get_by_role("button", name="Deutsch").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.get_by_role("button", name="Deutsch")).to_have_attribute("aria-pressed", "true")
