title = Fehler
