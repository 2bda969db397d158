"""A real gateway with a home that has a past and a plan, and a browser that opens its pages."""

from tests.support.browser.page import (
    addresses,
    browser,
    demo_gateway,
    demo_home,
    open_page,
    page_pool,
)

__all__ = ["addresses", "browser", "demo_gateway", "demo_home", "open_page", "page_pool"]
