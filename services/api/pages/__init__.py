"""The dashboard: pages that the gateway draws itself, and which work without a script."""
