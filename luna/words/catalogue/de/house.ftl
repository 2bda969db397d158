### Das Haus jetzt, für Antworten, Nachrichten und Home Assistant.

# Die Grundlage einer Zahl.
basis_measured = gemessen
basis_planned = geplant
basis_assumed = angenommen

# Was geschieht und warum, was folgt, Kosten und Ersparnis von Tagen, die Abfahrt des Autos.
house_no_plan = Gerade gibt es keinen Plan.
house_fault = Der letzte Versuch ({ $tried }) ist gescheitert: { $why }
house_would = Luna steuert nicht. Das würde Luna tun.
house_silent = { $device } hat den Befehl von { $at } nicht bestätigt und läuft jetzt eigenständig. Es folgt der Plan von Luna.
house_disobeys = { $device } hat den Befehl von { $at } angenommen, macht aber etwas anderes und läuft jetzt eigenständig. Es folgt der Plan von Luna.
house_spared = { $device } hat für heute genug Änderungen bekommen und läuft jetzt eigenständig. Es folgt der Plan von Luna.
house_kept = { $device } bleibt im Modus von vor { $at }. Ein Wechsel spart weniger, als er das Gerät verschleißt. Es folgt der Plan von Luna.
house_level = { $note }
house_unknown = Dein Verbrauch ist seit { $at } unbekannt.
house_now = Jetzt, bis { $end }: { $mode }. { $reason }
house_now_each = { $device } jetzt, bis { $end }: { $mode }. { $reason }
house_next = Ab { $begin }: { $mode }. { $reason }
house_next_each = { $device } ab { $begin }: { $mode }. { $reason }
house_filled = Die Batterie ist so voll wie geplant.
house_filled_each = { $device } ist so voll wie geplant.
house_drained = Die Batterie ist so leer wie geplant.
house_drained_each = { $device } ist so leer wie geplant.
house_use = { $device } verbraucht von { $begin } bis { $end } { $kwh } für { $cost } ({ $basis }).
house_car = { $device } kommt mit { $arrives } an ({ $arrives_basis }). Abfahrt { $end } mit { $leaves } ({ $basis }).
house_stored = Die Batterie ist bei { $soc } ({ $basis }).
house_stored_each = { $device } ist bei { $soc } ({ $basis }).
house_stored_at = Die Batterie war bei { $soc } ({ $basis } { $at }).
house_stored_at_each = { $device } war bei { $soc } ({ $basis } { $at }).
house_paid_today = Heute hast du bisher { $cost } für Energie bezahlt ({ $basis }).
house_cost_today = Bis Mitternacht sind es { $cost } ({ $basis }).
house_paid_yesterday = Gestern hast du { $cost } bezahlt ({ $basis }).
house_would_save_today = Luna würde dir heute { $saved } gegenüber dem Wechselrichter allein sparen ({ $basis }).
house_saved_today = Luna spart dir heute { $saved } gegenüber dem Wechselrichter allein ({ $basis }).
house_saved_yesterday = Gestern waren es { $saved } ({ $basis }).

# Der Grund, wenn der Ladestand und nicht der Plan die laufende Viertelstunde entschieden hat.
level_decided = Beim jetzigen Ladestand ist das besser als der Plan.
