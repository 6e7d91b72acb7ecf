"""How much the API takes in, and how long it waits."""

BODY_LIMIT = 16 * 1024
BODY_TIMEOUT_S = 10
# A license key of 10,000 characters in an address is answered, not cut off by the parser.
LINE_LIMIT = 64 * 1024
# How long the rest of a refused body is read and thrown away, so that its sender gets to see the answer.
LINGER_S = 1
# Longer than common proxies keep their side open (60 s), else they reuse a connection that just closed.
KEEPALIVE_S = 75
# The whole process has 5 s to end in.
SHUTDOWN_S = 3
RETRY_UNAVAILABLE_S = 5
READY_TIMEOUT_S = 2
OUTAGE_LOGGED_EVERY_S = 60
