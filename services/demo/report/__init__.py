"""The self-contained report: one HTML file that opens from disk without any request."""
