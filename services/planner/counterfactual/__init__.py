"""What another decision, or another site, would have brought."""
