title = Aufgabe
