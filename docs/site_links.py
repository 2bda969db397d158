"""A hook of MkDocs: links from the pages to files of the repository that are no pages become the names of these files."""

import re
from typing import Any

_LEAVING = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+)([^)#]+)[^)]*\)")


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Return the page's text with every link that leaves ``docs`` turned into code."""
    depth = page.file.src_uri.count("/")
    return _LEAVING.sub(lambda link: link[0] if link[2].count("../") <= depth else f"{link[1].strip('`')} (`{link[3]}`)", markdown)
