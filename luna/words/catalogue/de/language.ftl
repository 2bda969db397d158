name = Deutsch
plural = n != 1
plural-forms = one other
