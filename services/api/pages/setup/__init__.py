"""The guided set-up: from an empty installation to the first plan of an own site."""
