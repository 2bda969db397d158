now = jetzt
tomorrow = morgen
