"""Digests of the images that Luna takes from others."""
