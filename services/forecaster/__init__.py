"""Aurora: what a site will use and produce in the coming days, and how sure that is."""
