"""What a client trusts that speaks HTTP alone."""

import ssl

# Reading the certificates of the system takes 27 ms of each client.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
