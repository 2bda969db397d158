"""Compare variants: another site, tariff or device, on recorded days or in a plan."""
