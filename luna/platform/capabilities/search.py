"""Passages that are nearest to a query."""

from luna.contracts.search import SearchQuestion, SearchRequest
from luna.platform.capability import CapabilityCall, capability


@capability("POST", "/v1/search", noun="search", scope="read", command="search", shown="", aliases=("/search",))
def search_passages(call: CapabilityCall, question: SearchQuestion) -> SearchRequest:
    """Find passages.

    Return passages of documents that the caller may see, the nearest to the query first, each with document, page and headings.
    """
    return SearchRequest(**dict(question), sites=call.own_sites)


SEARCH = (search_passages,)
