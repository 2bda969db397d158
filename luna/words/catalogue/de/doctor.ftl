### Was die Diagnose findet. Ein Befehl, der hilft, folgt auf den Rat; er gehört nicht zum Text.

topic_configuration = Einstellungen
topic_versions = Versionen
topic_permissions = Zugriff
topic_disk = Platte
topic_clock = Uhr
topic_certificates = Zertifikate
topic_database = Datenbank
topic_queues = Arbeit
topic_steering = schnelle Steuerung
topic_dependencies = Server
topic_freshness = Daten
severity_ok = gut
severity_warning = Warnung
severity_fault = Fehler
head_check = Prüfung
head_result = Ergebnis
head_details = Einzelheiten
all_well = Alles läuft.
counted = Fehler: { $faults }, Warnungen: { $warnings }. Zeilen mit → sagen, was zu tun ist.

finding_error = { $place }{ $sentence }
finding_settings-named-servers =
    { $count ->
        [one] 1 Einstellung ist geändert. Luna nutzt die Server aus den Einstellungen.
       *[other] { $count } Einstellungen sind geändert. Luna nutzt die Server aus den Einstellungen.
    }
finding_settings-own-servers =
    { $count ->
        [one] 1 Einstellung ist geändert. Luna betreibt eigene Server in { $folder }.
       *[other] { $count } Einstellungen sind geändert. Luna betreibt eigene Server in { $folder }.
    }
finding_one-server-only = Nur die Datenbank oder nur die Warteschlange hat einen eigenen Server. Andere Rechner erreichen den anderen Teil nicht.
remedy_one-server-only = Setz LUNA_DATABASE_URL und LUNA_REDIS_URL, oder keins von beiden.
finding_no-user = Andere Rechner erreichen Luna, aber kein Nutzer hat ein Passwort.
remedy_no-user = Leg einen Nutzer an, oder setz LUNA_ADMIN_PASSWORD_FILE.
finding_unreadable-rows = { $kind }: Diese Version von Luna kann { $count } davon nicht lesen.
finding_site-uncontrolled = Luna kann die Einstellungen von { $site } nicht lesen und schickt den Geräten keine Befehle. Sie behalten ihren letzten Befehl.
remedy_site-uncontrolled = Stell die Geräte jetzt von Hand ein. Starte dann wieder die neuere Version, oder speichere den Standort neu.
finding_site-unreadable = Luna kann die Einstellungen von { $site } nicht lesen. So lange laufen die Geräte von allein.
remedy_site-unreadable = Berichtige die Einstellungen, oder schalte die Steuerung aus.
kind_plans = Pläne
remedy_plans = Mach neue Pläne. Bis dahin gibt es keine.
kind_device-states = Zustände von Geräten
remedy_device-states = Warte: Die nächste Entscheidung ersetzt sie. Setz deine Vorgabe noch einmal.
kind_charging-sessions = Ladevorgänge
remedy_charging-sessions = Speichere sie noch einmal.
kind_what-ifs = Was-wäre-wenn-Rechnungen
remedy_what-ifs = Rechne sie noch einmal.
kind_quarantine = abgelehnte Werte
remedy_quarantine = Starte die Version, die sie geschrieben hat. Luna löscht nichts.
kind_agent-gates = Prüfungen von Antares
remedy_agent-gates = Warte: Luna prüft in der nächsten Nacht neu.
kind_agent-plans = Pläne von Antares
remedy_agent-plans = Starte die Version, die sie geschrieben hat. Luna löscht nichts.
kind_jobs = Aufträge
remedy_jobs = Starte sie noch einmal. Fertige löscht Luna von selbst.
kind_edge-runs = Läufe des Kameralabors
remedy_edge-runs = Starte die Version, die sie geschrieben hat. Luna löscht nichts.
kind_documents = Dokumente
remedy_documents = Füg sie noch einmal hinzu. Bis dahin nutzt keine Antwort sie.
kind_answers = Antworten
remedy_answers = Starte die Version, die sie geschrieben hat. Luna löscht nichts.

finding_luna-version = Luna { $luna }, Python { $python } auf { $platform }
finding_database-version = PostgreSQL { $version }
finding_other-releases = Es laufen auch andere Versionen von Luna: { $releases }. Diese hier ist { $own }.
remedy_other-releases = Bring alle auf dieselbe Version und starte sie neu.

finding_folder-unwritable = Luna darf nicht in { $folder } schreiben.
remedy_folder-unwritable = Erlaub Luna, dort zu schreiben, oder setz LUNA_DATA_FOLDER auf einen anderen Ordner.
finding_secrets-open = In { $file } stehen Geheimnisse, und alle auf diesem Rechner dürfen sie lesen.
remedy_secrets-open = Nimm den anderen dieses Recht.
finding_file-unreadable = Luna darf { $file } nicht lesen.
remedy_file-unreadable = Erlaub es dem Konto, unter dem Luna läuft.
finding_permissions-well = Luna kann in die eigenen Ordner schreiben, und nur Luna kann die Geheimnisse lesen.

finding_disk-well = Auf der Platte von { $folder } sind { $free } von { $total } GiB frei.
finding_disk-low = Auf der Platte von { $folder } sind { $free } von { $total } GiB frei.
remedy_disk-low = Mach Platz, oder behalte Daten kürzer: LUNA_FORECAST_RETENTION, LUNA_PLAN_RETENTION, LUNA_READING_RETENTION.
finding_disk-full = Auf der Platte von { $folder } sind { $free } von { $total } GiB frei.
remedy_disk-full = Mach jetzt Platz. Ist die Platte voll, bleibt die Datenbank stehen.

finding_clock-unset = Dieser Rechner stellt seine Uhr nicht von selbst.
remedy_clock-unset = Schalte die automatische Uhrzeit ein, etwa systemd-timesyncd oder chrony. Pläne folgen der Viertelstunde.
finding_clock-set = Dieser Rechner stellt seine Uhr von selbst.
finding_clocks-near = Die Uhren von Luna und Datenbank liegen { $seconds } s auseinander.
finding_clocks-apart = Die Uhren von Luna und Datenbank liegen { $seconds } s auseinander.
remedy_clocks-apart = Schalte auf beiden Rechnern die automatische Uhrzeit ein, etwa systemd-timesyncd oder chrony.

finding_certificate-invalid = Das Zertifikat von { $server } gilt nicht: { $why }
remedy_certificate-invalid = Erneuere es, oder vertrau seinem Aussteller auf diesem Rechner (SSL_CERT_FILE).
finding_certificate-away = { $server } antwortet nicht: { $why }
remedy_certificate-away = Prüf, ob es läuft und erreichbar ist.
finding_certificate-valid = Das Zertifikat von { $server } gilt bis { $day }.
finding_certificate-ends = Das Zertifikat von { $server } gilt bis { $day }.
remedy_certificate-ends = Erneuere es. Macht das ein Programm von selbst, sieh in sein Protokoll.

finding_schema-current = Die Datenbank hat die Version, die Luna braucht ({ $current }).
finding_schema-newer = Die Datenbank hat Version { $current }, aber diese Luna kennt nur Versionen bis { $head }.
remedy_schema-newer = Starte wieder die neuere Luna, oder spiel eine Sicherung ein.
finding_schema-older = Die Datenbank hat Version { $current }. Luna braucht Version { $head }.
remedy_schema-older = Bring die Datenbank auf den neuen Stand.
finding_schema-missing = In der Datenbank fehlen Lunas Tabellen. Luna braucht Version { $head }.
remedy_schema-missing = Bring die Datenbank auf den neuen Stand.

finding_jobs-open = Aufträge: { $queued } warten, { $running } laufen. Der älteste ist { $seconds } s alt.
finding_jobs-late = Aufträge: { $queued } warten, { $running } laufen. Der älteste ist { $seconds } s alt.
remedy_jobs-late = Sieh nach, worauf sie warten.
finding_jobs-dead =
    { $count ->
        [one] 1 Auftrag brach unerwartet ab.
       *[other] { $count } Aufträge brachen unerwartet ab.
    }
remedy_jobs-dead = Sieh nach, warum, und starte ihn noch einmal.
finding_beat-missing = Der Zeitgeber (beat) läuft nicht. Luna plant nichts Neues.
remedy_beat-missing = Starte Luna oder seine Container.
finding_beat-late = Der Zeitgeber (beat) lief zuletzt vor { $seconds } s. Luna plant nichts Neues.
remedy_beat-late = Starte Luna oder seine Container.
finding_tasks-dead =
    { $count ->
        [one] An 1 Aufgabe stürzte der Hintergrunddienst jedes Mal ab: { $tasks }
       *[other] An { $count } Aufgaben stürzte der Hintergrunddienst jedes Mal ab: { $tasks }
    }
remedy_tasks-dead = Sieh ins Protokoll des Hintergrunddienstes zu dieser Zeit.
finding_workers =
    { $count ->
        [one] 1 Hintergrunddienst (worker) läuft und nimmt alle Arbeit an.
       *[other] { $count } Hintergrunddienste (worker) laufen und nehmen alle Arbeit an.
    }
finding_no-worker = Kein Hintergrunddienst (worker) läuft.
remedy_no-worker = Starte Luna oder seine Container.
finding_queues-unserved = Kein Hintergrunddienst (worker) nimmt Arbeit von { $queues } an.
remedy_queues-unserved = Starte Luna oder seine Container.
finding_backlog = { $count } Aufgaben warten auf { $queue }.
remedy_backlog = Nimm mehr Hintergrunddienste: Setz LUNA_WORKER_PROCESSES höher, oder starte einen weiteren Container.

finding_steering-late = Die schnelle Steuerung (steering) von { $sites } lief zuletzt vor { $seconds } s.
remedy_steering-late = Starte Luna oder seine Container.
finding_steering-blind = Die schnelle Steuerung (steering) hat keine neuen Zählerwerte von { $sites }.
remedy_steering-blind = Prüf die Zähler und das Protokoll des Dienstes recorder. Bis dahin sind die Geräte im sicheren Zustand.
finding_steering-works = Die schnelle Steuerung (steering) läuft für { $sites }.

finding_worker-lacks = Hintergrunddienst { $worker }, { $check }: { $fault }
finding_dependency-well = Antwortet: { $check }.
finding_dependency-away = { $fault }

finding_no-home = Es ist noch kein Standort eingerichtet.
finding_home-measured = { $site }: gemessen bis { $at }.
finding_home-unmeasured = { $site }: noch keine Messwerte.
finding_forecast-missing = { $site }: noch keine Prognose.
remedy_forecast-missing = Prüf oben, ob alle Dienste von Luna laufen. Wenn ja, sieh in die Aufträge und das Protokoll.
finding_forecast-old = { $site }: Die letzte Prognose ist von { $at }.
remedy_forecast-old = Prüf oben, ob alle Dienste von Luna laufen. Wenn ja, sieh in die Aufträge und das Protokoll.
finding_plan-missing = { $site }: noch kein Plan.
remedy_plan-missing = Prüf oben, ob alle Dienste von Luna laufen. Wenn ja, sieh in die Aufträge und das Protokoll.
finding_plan-old = { $site }: Der letzte Plan ist von { $at }.
remedy_plan-old = Prüf oben, ob alle Dienste von Luna laufen. Wenn ja, sieh in die Aufträge und das Protokoll.
finding_prices-known = { $market }: Preise sind bekannt bis { $at }.
finding_prices-short = { $market }: Preise sind nur bekannt bis { $at }.
remedy_prices-short = Hol oder lade neue Preise.
finding_prices-missing = { $market }: keine Preise in { $currency }.
remedy_prices-missing = Hol oder lade Preise.
