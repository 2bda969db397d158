"""What the pages of an account say: signing in, the password, keys."""

from luna.words.pages import Phrase

PHRASES = {
    "title": Phrase("Account", "Konto"),
    "sign_in": Phrase("Sign in", "Anmelden"),
    "first_account": Phrase("Make the first account", "Das erste Konto anlegen"),
    "first_lead": Phrase("It may do everything. From then on Luna asks who is there.", "Es darf alles. Von da an fragt Luna, wer da ist."),
    "make_account": Phrase("Make the account", "Konto anlegen"),
    "by_link": Phrase("Luna opens by its link", "Luna öffnet sich mit ihrem Link"),
    "by_link_lead": Phrase(
        "When Luna starts, it shows a link. It opens this browser, once, within an hour. Yours was used or is older, or you came without one.",
        "Beim Start zeigt Luna einen Link. Er öffnet diesen Browser, einmal, binnen einer Stunde. Deiner ist benutzt oder älter, oder du kamst ohne einen.",
    ),
    "by_link_again": Phrase(
        "A new start of Luna shows a new one. Nothing is lost, and everything goes on meanwhile.",
        "Ein neuer Start von Luna zeigt einen neuen. Nichts ist verloren, und alles läuft inzwischen weiter.",
    ),
    "name": Phrase("Name", "Name"),
    "name_hint": Phrase("Small letters, digits, . _ @ and -", "Kleinbuchstaben, Ziffern, . _ @ und -"),
    "password": Phrase("Password", "Passwort"),
    "password_hint": Phrase(
        "At least 12 characters: a few words that nobody says together.", "Mindestens 12 Zeichen: ein paar Wörter, die niemand zusammen sagt."
    ),
    "code": Phrase("Set-up code", "Einrichtungscode"),
    "code_hint": Phrase(
        "It stands in the gateway's log, for you come from another machine.", "Er steht im Log des Gateways, denn du kommst von einer anderen Maschine."
    ),
    "confirm": Phrase("Your password again, please", "Bitte noch einmal dein Passwort"),
    "confirm_lead": Phrase(
        "What you are about to do asks for it. Then do it again; for five minutes nobody asks.",
        "Was du vorhast, verlangt es. Tu es danach noch einmal; fünf Minuten lang fragt niemand.",
    ),
    "go_on": Phrase("Go on", "Weiter"),
    "change_password": Phrase("Change password", "Passwort ändern"),
    "new_password": Phrase("New password", "Neues Passwort"),
    "password_changed": Phrase("The password is changed; every other sign-in has ended.", "Das Passwort ist geändert; jede andere Anmeldung ist beendet."),
    "sign_out": Phrase("Sign out", "Abmelden"),
    "signed_in_as": Phrase("Signed in as {name}", "Angemeldet als {name}"),
    "said_wrong": Phrase("Name or password is wrong.", "Name oder Passwort stimmt nicht."),
    "said_too_often": Phrase("Too many tries. Wait a minute.", "Zu viele Versuche. Warte eine Minute."),
    "said_code": Phrase(
        "The set-up code is missing or wrong. It stands in the gateway's log.", "Der Einrichtungscode fehlt oder ist falsch. Er steht im Log des Gateways."
    ),
    "said_weak": Phrase(
        "This password is too short, or one that is tried first. Take a few words that nobody says together.",
        "Dieses Passwort ist zu kurz oder eins, das zuerst probiert wird. Nimm ein paar Wörter, die niemand zusammen sagt.",
    ),
    "said_name": Phrase("This name cannot be taken, or there is an account already.", "Dieser Name geht nicht, oder es gibt schon ein Konto."),
    "keys": Phrase("Keys for programs", "Schlüssel für Programme"),
    "keys_lead": Phrase("A key may no more than you. Its secret is shown once.", "Ein Schlüssel darf nicht mehr als du. Sein Geheimnis wird einmal gezeigt."),
    "no_keys": Phrase("No key yet.", "Noch kein Schlüssel."),
    "key_made": Phrase("Copy this key now; it is not shown again.", "Kopiere diesen Schlüssel jetzt; er wird nicht wieder gezeigt."),
    "key_name": Phrase("What it is for", "Wofür er ist"),
    "key_days": Phrase("Days until it ends", "Tage, bis er endet"),
    "key_may": Phrase("It may", "Er darf"),
    "make_key": Phrase("Make a key", "Schlüssel anlegen"),
    "remove": Phrase("Take away", "Wegnehmen"),
    "ends": Phrase("Ends", "Endet"),
    "no_account": Phrase(
        "Nobody has an account, and from this machine nobody needs one. Keys belong to accounts: make the first one.",
        "Niemand hat ein Konto, und von dieser Maschine aus braucht es keins. Schlüssel gehören zu Konten: Leg das erste an.",
    ),
    "scope_read": Phrase("read", "lesen"),
    "scope_analyse": Phrase("analyse", "auswerten"),
    "scope_operate": Phrase("operate", "bedienen"),
    "scope_data": Phrase("care for data", "Daten pflegen"),
    "scope_configure": Phrase("configure sites", "Standorte einrichten"),
    "scope_administer": Phrase("administer", "verwalten"),
}
