### Times as people say them now.

now = nu
tomorrow = morgen
