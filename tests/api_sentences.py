"""What the API says about requests that are no good, word for word."""

from bot.api.limits import BODY_LIMIT

NO_BEARER = "Send the product's API key once, as the header Authorization: Bearer kp_live_..."
ODD_BEARER = "The Authorization header must be: Bearer kp_live_..."
UNKNOWN_BEARER = "This API key is not valid; it may have been rotated."
NOT_JSON = "The body is not valid JSON in UTF-8."
NO_OBJECT = 'The body must be a JSON object such as {"license_key": "..."}.'
CONTENT_TYPE = "Send JSON in UTF-8 with the header Content-Type: application/json."
LONG_KEY = "license_key must have at most 256 characters."
TOO_LARGE = f"The body must have at most {BODY_LIMIT} bytes."
