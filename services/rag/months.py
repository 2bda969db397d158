"""Months by their names in German and English, with umlauts and with those written as two letters. Pure."""

_NAMES = (
    "januar january jänner jaenner jan",
    "februar february feb",
    "märz maerz march mrz mar",
    "april apr",
    "mai may",
    "juni june jun",
    "juli july jul",
    "august aug",
    "september sept sep",
    "oktober october okt oct",
    "november nov",
    "dezember december dez dec",
)
# Number of a month by its name in small letters.
MONTHS = {name: number for number, names in enumerate(_NAMES, start=1) for name in names.split()}
# Any of them, for a regular expression; the longest first, so that no name ends where another goes on.
ANY_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
