"""Where capabilities are carried out: by this machine's own Luna, with nobody between, or by a gateway elsewhere."""
