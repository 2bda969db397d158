### What came of moving a battery by a little: what it was to do, and what the readings say it did.

trial_hold_right = Stand still: richtig.
trial_hold_moved = Lief { $seconds } s lang mit { $power } W weiter, statt stillzustehen: Jemand anders steuert sie, oder es ist ein anderes Produkt.
trial_hold_unknown = Ob sie stillstand, ist unbekannt.
trial_charge_right = Lud mit { $power } W: richtig.
trial_charge_turned_round = Entlud mit { $power } W, statt zu laden: Das Vorzeichen ist verdreht.
trial_charge_did_not_move = Lud nicht, { $seconds } s lang.
trial_charge_too_much = Lud mit { $power } W, verlangt waren 200 W: Der Maßstab stimmt nicht, es sei denn, den Rest gab die Sonne.
trial_charge_not_allowed = Laden wurde nicht versucht: Die Batterie ist voll, oder ihre Grenzen erlauben es nicht.
trial_charge_nothing_to_do = Lud nicht: Sie darf nur Überschuss speichern, und es gab keinen.
trial_charge_unknown = Ob sie lud, ist unbekannt.
trial_export_right = Entlud mit { $power } W: richtig.
trial_export_turned_round = Lud mit { $power } W, statt zu entladen: Das Vorzeichen ist verdreht.
trial_export_did_not_move = Entlud nicht, { $seconds } s lang.
trial_export_too_much = Entlud mit { $power } W, verlangt waren 200 W: Der Maßstab stimmt nicht, es sei denn, den Rest nahm das Haus.
trial_export_not_allowed = Entladen wurde nicht versucht: Die Batterie ist leer, oder ihre Grenzen erlauben es nicht.
trial_export_nothing_to_do = Entlud nicht: Sie darf nur das Haus versorgen, und das brauchte nichts von ihr.
trial_export_unknown = Ob sie entlud, ist unbekannt.
trial_ended = Sie ist zurück in ihrem eigenen Eigenverbrauch.
