"""Small words of three languages: negations, duties, joints, and words that claim nothing."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NEGATIONS = _words("""
    not no never none neither nor nobody nothing cannot without
    nicht kein keine keinen keinem keiner keines nie niemals weder ohne niemand nichts
    niet geen nooit niemand niets noch zonder
""")
FORBIDDEN = _words("""
    verboten untersagt unzulässig ungültig forbidden prohibited banned invalid verboden ongeldig
    ausgeschlossen excluded uitgesloten
""")
MUST = _words("must muss müssen musst shall moet moeten mandatory pflicht verplicht need needs")
MAY = _words("may can could kann können darf dürfen könnte mag mogen kan kunnen kunt might")
JOINTS = _words("""
    und and en sowie alsook aber but maar sondern while whereas während terwijl jedoch however or
    oder
""")
# A sentence with one of these is one claim: a condition and what follows from it are not parted.
# A sentence that begins with one of these is a condition and what follows from it.
CONDITIONS = _words(
    "wer wenn falls sofern sobald solange if when unless whoever indien wanneer wie"
)
SUBORDINATORS = _words("""
    wer wenn falls sofern sobald dass bevor nachdem weil obwohl solange
    if when unless that who which whoever because although before after
    wie als indien wanneer tenzij dat voordat nadat omdat hoewel mits
""")
ANAPHORS = _words("""
    er sie es ihr ihre ihren ihrem ihm ihn sein seine dies diese dieser dieses davon dafür dort
    dazu darauf dabei danach dessen
    it its they them their this these that those there he she his
    hij zij ze hem haar hun deze dit die daar daarvan daarvoor daarna ervan eerste first erste
    second zweite tweede
""")
LIGHT = _words("""
    der die das den dem des ein eine einen einem einer eines zu zum zur mit von vom im in an am auf
    aus bei beim für um durch gegen über unter zwischen bis ab seit vor nach so sehr ja auch noch
    schon nun dann da hier dort dabei dazu davon dafür danach dagegen daher daran darauf deshalb
    innerhalb während jeweils je pro gerade zusätzlich wie
    ist sind war waren wird werden wurde wurden worden sein hat haben hatte hatten ich du er sie es
    wir ihr ihre ihren ihrem ihrer sich man uns euch mein dein unser seine sein seinen seiner
    wer wenn falls dass ob was welche welcher welches als diese dieser dieses diesen diesem
    beträgt betragen liegt liegen lag lagen lautet gibt geben bedeutet bedeuten heißt steht stehen
    stand dauert dauern lang lange vorliegt vorliegen findet statt rund etwa circa ca ungefähr bitte
    erreicht handelt soll sollen sollte mal eins
    the an is are was were be been being to of for on with by from at as it its this that
    these those there their them they he she his her you your we our us who which when if then than
    do does did has have had will would should so also per each means mean stands amounts amount
    lies period periods within between down about approximately please takes take took lasts
    long
    het een de van voor met op aan bij tot uit naar door over onder tussen vanaf sinds binnen om te
    is zijn was waren wordt worden werd werden heeft hebben had hebt u uw ik je jij jouw wij we ons
    onze hij zij ze hem haar hun er daar dit dat die deze dan ook nog al zo telkens per bedraagt
    bedragen betekent betekenen duurt duren ligt liggen zal zullen ongeveer circa tegen via
    daarna daarvoor daarvan wat wie welke indien steeds na hoeft uur ten
    uhr o'clock now jetzt nu bereits already
""") | {"a"}
PARTIES = _words("""
    =supplier =customer =tenant =owner =operator =installer =manufacturer =electrician
    =municipality neighbour nachbar buur
""")
# Pairs of comparatives: one side is more than the other.
COMPARATIVES = (
    ("=higher", "=lower"),
    ("=dearer", "=cheaper"),
    ("=more", "=less"),
    ("§multiple", "§fraction"),
)
THAN = _words("als than dan")
AGENT_MARKS = _words("by von durch door vom")
