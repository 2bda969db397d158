"""Answers from documents and the site's data: what they rest on is named, what they do not hold is said."""
