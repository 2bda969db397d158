### The words on the page of an error, beside the error itself.

title = Error
