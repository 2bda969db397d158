### Was ein Gerät tut, wie zuletzt gelesen, und was als Nächstes geschieht.

doing_unknown = etwas, wofür Luna kein Wort hat
never_read = { $device }: Luna hat noch nicht gelesen, was es tut.
does_commanded = { $device } tut, was Luna befohlen hat: { $doing }. Gelesen um { $read }, so seit { $since }.
does_other = { $device } tut etwas, was Luna nicht befohlen hat: { $doing }. Gelesen um { $read }, so seit { $since }.
silent = { $device } antwortet seit { $at } nicht.
not_released = Dass { $device } zurückgegeben ist, ist nicht bestätigt: Der letzte Befehl gilt dort weiter.
released_when_it_answers = Es wird zurückgegeben, sobald es antwortet.
released_when_luna_runs = Es wird zurückgegeben, sobald Luna läuft und es antwortet.
left_to_owner = Luna hat es einen Tag lang versucht und versucht es nicht mehr.
stop_at_device = Um es sofort zu beenden, stell { $device } am Gerät selbst auf den eigenen Betrieb: an der Anzeige oder in der App des Herstellers.
unattended = Gerade steuert nichts von Luna die Geräte: Jedes bleibt bei seinem letzten Befehl oder fällt von selbst zurück. Luna macht weiter, sobald es läuft.
paused = { $device } ist seit { $at } in Ruhe gelassen, wie von { $by } gewünscht, bis du es fortsetzt.
conflict =
    { $count ->
        [one] { $device }: { $doing } wurde um { $last } eingestellt, nicht von Luna.
       *[other] { $device }: { $doing } wurde um { $last } eingestellt, nicht von Luna; seit { $first } wurden die Einstellungen { $count }-mal geändert.
    }
conflict_causes = Meist ist das die App des Herstellers mit einem eigenen Zeitplan oder ein anderes Programm, das Energie steuert. Schalt das aus, oder pausiere { $device } hier: Luna gibt es dann zurück und lässt es in Ruhe.
driven_by = Die Geräte steuert { $name } seit { $at }.
