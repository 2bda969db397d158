"""What a plan has to solve: a request, the owner's blocks and rules, tariffs and courses as values on its slots."""
