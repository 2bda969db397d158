"""Command a site's devices: units of control, their connections and the dry run."""
