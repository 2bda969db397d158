"""Camera controllers: naive ones, a rule, an oracle with perfect foresight, and learned ones."""
