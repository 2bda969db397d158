title = Auftrag
