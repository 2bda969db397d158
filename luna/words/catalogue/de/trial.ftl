### Ergebnisse eines kurzen Tests der Batteriesteuerung: was sie tun soll und was sie tat.

trial_hold_right = Pause funktioniert.
trial_hold_moved = Pause klappt nicht: Die Batterie lief { $seconds } s lang mit { $power } W. Prüfe, ob ein anderes System sie steuert und ob das gewählte Modell stimmt.
trial_hold_unknown = Pause ist nicht geprüft: Die Batterie sendet keine brauchbaren Werte.
trial_charge_right = Laden funktioniert: { $power } W.
trial_charge_turned_round = Laden klappt nicht: Die Batterie entlud mit { $power } W. Vertausche Plus und Minus.
trial_charge_did_not_move = Laden klappt nicht: { $seconds } s lang geschah nichts.
trial_charge_too_much = Laden lief mit { $power } W statt 200 W. Prüfe den Faktor, falls nicht Solar den Rest lieferte.
trial_charge_not_allowed = Laden ist nicht geprüft: Die Batterie ist voll, oder ihre Grenzen verbieten es.
trial_charge_nothing_to_do = Laden ist nicht geprüft: Die Batterie darf nur Überschuss speichern, und es gab keinen.
trial_charge_unknown = Laden ist nicht geprüft: Die Batterie sendet keine brauchbaren Werte.
trial_export_right = Entladen funktioniert: { $power } W.
trial_export_turned_round = Entladen klappt nicht: Die Batterie lud mit { $power } W. Vertausche Plus und Minus.
trial_export_did_not_move = Entladen klappt nicht: { $seconds } s lang geschah nichts.
trial_export_too_much = Entladen lief mit { $power } W statt 200 W. Prüfe den Faktor, falls nicht das Haus den Rest verbrauchte.
trial_export_not_allowed = Entladen ist nicht geprüft: Die Batterie ist leer, oder ihre Grenzen verbieten es.
trial_export_nothing_to_do = Entladen ist nicht geprüft: Die Batterie darf nur das Haus versorgen, und das brauchte nichts.
trial_export_unknown = Entladen ist nicht geprüft: Die Batterie sendet keine brauchbaren Werte.
trial_ended = Die Batterie läuft wieder im Eigenverbrauch.
