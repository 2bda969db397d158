"""Dynamic products of suppliers, whose prices Luna reads, and the regions they are priced by."""
