### Ergebnisse eines kurzen Tests einer Wallbox, eines geschalteten Geräts oder eines Wechselrichters: was es tun sollte, und was es tat.

commanded_charge_right = Laden klappt: { $power } W.
commanded_charge_did_not_move = Laden klappte nicht: Das Auto nahm eine Minute lang nichts. Prüfe, ob es voll ist oder etwas anderes die Wallbox steuert.
commanded_charge_too_much = Das Auto lud mit { $power } W, mehr als 6 A erlauben. Prüfe, ob etwas anderes die Wallbox steuert.
commanded_charge_no_car = Laden ist nicht getestet: Es ist kein Auto angesteckt.
commanded_charge_unknown = Laden ist nicht getestet: Die Wallbox meldete keine brauchbaren Werte.
commanded_stop_right = Anhalten klappt.
commanded_stop_does_not_stop = Anhalten klappte nicht: Das Auto nahm weiter { $power } W. Prüfe, ob etwas anderes die Wallbox steuert.
commanded_stop_unknown = Anhalten ist nicht getestet: Die Wallbox meldete keine brauchbaren Werte.
commanded_stop_did_not_move = Anhalten klappte nicht: Das Auto lädt weiter.
commanded_on_right = Einschalten klappt: { $power } W.
commanded_on_did_not_move = Einschalten klappte nicht. Prüfe, ob etwas anderes das Gerät steuert.
commanded_on_unknown = Einschalten ist nicht getestet: Das Gerät meldete keine brauchbaren Werte.
commanded_off_right = Ausschalten klappt.
commanded_off_does_not_stop = Ausschalten klappte nicht: Es nimmt weiter { $power } W.
commanded_off_did_not_move = Ausschalten klappte nicht. Prüfe, ob etwas anderes das Gerät steuert.
commanded_off_unknown = Ausschalten ist nicht getestet: Das Gerät meldete keine brauchbaren Werte.
commanded_limit_right = Begrenzen klappt: { $power } W.
commanded_limit_too_much = Begrenzen klappte nicht: Das Dach gab weiter { $power } W. Prüfe, ob etwas anderes den Wechselrichter steuert.
commanded_limit_no_sun = Begrenzen ist nicht getestet: Das Dach gibt nur { $power } W. Teste noch einmal, wenn die Sonne scheint.
commanded_limit_unknown = Begrenzen ist nicht getestet: Der Wechselrichter meldete keine brauchbaren Werte.
commanded_free_right = Danach gibt das Dach wieder alles: { $power } W.
commanded_free_did_not_move = Danach gab das Dach nur { $power } W. Vielleicht kam eine Wolke: Teste noch einmal.
commanded_free_unknown = Das Ende der Begrenzung ist nicht getestet: Der Wechselrichter meldete keine brauchbaren Werte.
commanded_ended = Das Gerät läuft wieder eigenständig.
