"""What a slot costs: the only place where money and carbon are computed."""
