"""Months by their names in German, English and Dutch, also with umlauts as two letters."""

_NAMES = (
    "januar january jänner jaenner januari jan",
    "februar february februari feb",
    "märz maerz march maart mrz mrt mar",
    "april apr",
    "mai may mei",
    "juni june jun",
    "juli july jul",
    "august augustus aug",
    "september sept sep",
    "oktober october okt oct",
    "november nov",
    "dezember december dez dec",
)
# Number of a month by its name in small letters.
MONTHS = {name: number for number, names in enumerate(_NAMES, start=1) for name in names.split()}
# Any of them, for a regular expression; the longest first, so that no name ends where another goes
# on.
ANY_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
