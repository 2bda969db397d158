title = Arbeit
