"""Plans of stored sites: what is fetched before and stored after."""
