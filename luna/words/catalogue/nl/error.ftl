### De woorden op de foutpagina naast de fout zelf.

title = Fout
