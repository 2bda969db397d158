"""A real year for two demo sites: Dutch prices of 2023, German households and roofs of 2016.

Everything is read as files from two hash-pinned packages that are downloaded once and never installed.
"""

from services.ingest.demo_data.demo import TEST_FIRST_DAY, TEST_LAST_DAY, DemoData, DemoPrices, DemoSite, load_demo
from services.ingest.demo_data.provenance import Provenance

__all__ = ["TEST_FIRST_DAY", "TEST_LAST_DAY", "DemoData", "DemoPrices", "DemoSite", "Provenance", "load_demo"]
