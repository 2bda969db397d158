"""What a plan has to solve: request, site and outlook as arrays."""
