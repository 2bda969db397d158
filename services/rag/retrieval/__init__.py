"""Finding passages: terms, fusion, search."""
