### What the page of an error says beside the error itself.

title = Fout
