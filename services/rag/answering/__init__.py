"""Answers from documents and the site's data, with their sources; a question without an answer there is refused."""
