"""Typed tools that read a site's data and tell it in sentences, figures and a chart."""
