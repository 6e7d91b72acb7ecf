"""How much the API takes in, and how long it waits."""

BODY_LIMIT = 16 * 1024
BODY_TIMEOUT_S = 10
# A license key of 10,000 characters in an address is answered, not cut off by the parser.
LINE_LIMIT = 64 * 1024
HEADERS_LIMIT = 64  # lines; each has at most the 8,190 bytes that aiohttp allows
# For the first request's line and headers, counted from the connection's begin.
HEADERS_TIMEOUT_S = 15
# More than one process serves at once by far; each waiting one may hold half a megabyte of headers at the worst.
CONNECTIONS_AT_MOST = 4_096
CROWD_LOGGED_EVERY_S = 60
# How long the rest of a refused body is read and thrown away, so that its sender gets to see the answer.
LINGER_S = 1
# Longer than common proxies keep their side open (60 s), else they reuse a connection that just closed.
KEEPALIVE_S = 75
# The whole process has 5 s to end in.
SHUTDOWN_S = 3
RETRY_UNAVAILABLE_S = 5
READY_TIMEOUT_S = 2
OUTAGE_LOGGED_EVERY_S = 60
