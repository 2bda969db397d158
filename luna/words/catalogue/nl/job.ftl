### De woorden bij een taak, naast die van elke pagina.

title = Taak
