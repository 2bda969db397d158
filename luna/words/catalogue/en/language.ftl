### What this language says of itself.

# What it is called in itself.
name = English
# Which form a whole number n takes, as in the header Plural-Forms of gettext's files: the place of the form in the list below, counted from 0.
plural = n != 1
# Names of its plural forms, as choices of messages have them: zero, one, two, few, many, other.
plural-forms = one other
