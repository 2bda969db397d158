### Times as people say them now.

now = now
tomorrow = tomorrow
