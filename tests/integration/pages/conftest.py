"""A browser for the pages of the integration tests; it is started by who opens a page."""

from tests.support.browser.page import addresses, browser, open_page, page_pool

__all__ = ["addresses", "browser", "open_page", "page_pool"]
