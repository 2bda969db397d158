"""Files of suppliers' portals, inverters or Home Assistant, and their rows as Luna's."""
