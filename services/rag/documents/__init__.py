"""Documents on their way to being found: stored, extracted, chunked, embedded, searchable."""
