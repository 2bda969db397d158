"""The shared kernel of Luna: the words that every service speaks. Imports no service."""
