"""Build of the pages: the reference made from code, and the links of the site."""
