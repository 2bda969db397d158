### Was ein Gerät nach dem letzten Messwert tut, und was folgt.

doing_unknown = ein unbekannter Modus
never_read = { $device } hat noch keinen Modus gemeldet.
does_commanded = { $device } folgt dem Befehl von Luna: { $doing }. Zuletzt gelesen { $read }, unverändert seit { $since }.
does_other = { $device } läuft in einem Modus, den Luna nicht eingestellt hat: { $doing }. Zuletzt gelesen { $read }, unverändert seit { $since }.
keeps_phases = { $device }: Luna kann die Phasen der Wallbox nicht einstellen. Ihr Anschluss entscheidet. Trag diese Zahl in den Einstellungen deines Zuhauses ein.
silent = { $device } antwortet seit { $at } nicht.
not_released = { $device } hat das Ende der Steuerung nicht bestätigt. Der letzte Befehl gilt dort weiter.
released_when_it_answers = Luna beendet die Steuerung dort, sobald es antwortet.
released_when_luna_runs = Luna beendet die Steuerung dort, sobald Luna läuft und das Gerät antwortet.
left_to_owner = Luna hat es einen Tag lang versucht und versucht es nicht mehr.
stop_at_device = Um es sofort zu beenden, stell { $device } am Display oder in der App des Herstellers auf Normalbetrieb.
unattended = Die Steuerung von Luna läuft gerade nicht. Jedes Gerät behält seinen letzten Befehl oder kehrt zum Normalbetrieb zurück. Luna macht weiter, sobald die Steuerung wieder läuft.
paused = { $device } ist seit { $at } pausiert (von { $by }). Luna lässt es in Ruhe, bis du die Pause beendest.
conflict =
    { $count ->
        [one] { $device }: { $doing } wurde um { $last } eingestellt, nicht von Luna.
       *[other] { $device }: { $doing } wurde um { $last } eingestellt, nicht von Luna. Seit { $first } haben sich die Einstellungen { $count }-mal geändert.
    }
conflict_causes = Meist ist es ein Zeitplan in der App des Herstellers oder ein anderer Energiemanager. Schalte das aus, oder pausiere { $device } hier. Luna lässt es dann in Ruhe.
driven_by = { $name } steuert die Geräte seit { $at }.
