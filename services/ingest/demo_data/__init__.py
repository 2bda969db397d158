"""A real year for two demo sites: Dutch prices of 2023, German households and roofs of 2016.

Everything is read as files from two hash-pinned packages that are downloaded once and never installed.
"""

from services.ingest.demo_data.demo import MARKET, TEST_FIRST_DAY, TEST_LAST_DAY, DemoData, DemoPrices, DemoSite, load_demo
from services.ingest.demo_data.storing import load_and_store, store_demo

__all__ = ["MARKET", "TEST_FIRST_DAY", "TEST_LAST_DAY", "DemoData", "DemoPrices", "DemoSite", "load_and_store", "load_demo", "store_demo"]
