"""Claims of sentences: quantities, times, words and negation, and whether a text makes them."""
