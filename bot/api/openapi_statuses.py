"""What every status means and what to do about it, in words for everybody: customers read those of refusals."""

from collections.abc import Mapping
from typing import NamedTuple


class Meaning(NamedTuple):
    """A status in two sentences: what was found, and what mends it."""

    means: str
    do: str


# Keyed by text, so that the description is read like the wire; a test holds it to the statuses there are.
MEANINGS: Mapping[str, Meaning] = {
    "active": Meaning("The license is good.", "Run. Remember this answer, for the day when none comes."),
    "license_not_found": Meaning(
        "This product has no license with this key.",
        "Compare the key with the one that was issued; the key of another product is not found either.",
    ),
    "revoked": Meaning("The seller ended the license for good.", "Ask the seller; only a new license helps."),
    "suspended": Meaning(
        "The seller paused the license.", "Ask the seller. Staff end the pause with `/license reinstate`."
    ),
    "not_claimed": Meaning(
        "The license was issued to nobody, and nobody has claimed it yet.",
        "Claim it: type `/claim` with this key in the seller's Discord server.",
    ),
    "expired": Meaning(
        "The license has ended, and the product refuses ended licenses.",
        "Ask the seller for more time. Staff give it with `/license extend`.",
    ),
    "ip_blocked": Meaning(
        "The caller's address is on a blacklist.",
        "Ask the seller. Staff see what is blocked with `/blacklist list`.",
    ),
    "ip_not_registered": Meaning(
        "The caller's address has no seat, and the product does not let it take one by itself.",
        "Run it where it ran before, or ask the seller to let this address register.",
    ),
    "ip_limit_reached": Meaning(
        "The caller's address has no seat, and all seats are taken.",
        "Reset the addresses with `/licenses` in the seller's Discord server, if that is offered there, or ask the "
        "seller to, or for more of them. Staff do that with `/license reset-ips` and `/license edit`.",
    ),
    "device_limit_reached": Meaning(
        "The device has no seat, and all seats for devices are taken.",
        "Reset the devices with `/licenses` in the seller's Discord server, if that is offered there, or ask the "
        "seller to, or for more of them.",
    ),
    "version_not_allowed": Meaning(
        "This version of the product is not allowed for this license.",
        "Update the product, or go back to a version that the license is good for.",
    ),
    "product_not_found": Meaning("The product vanished while the request was on its way.", "Tell the seller."),
    "product_archived": Meaning(
        "The product is archived.", "Ask the seller. Staff bring it back with `/product unarchive`."
    ),
    "product_disabled": Meaning(
        "The product is switched off.", "Ask the seller. Staff switch it on with `/product enable`."
    ),
    "org_suspended": Meaning(
        "The operator suspended the seller's server.", "Tell the seller, who can ask the operator."
    ),
    "billing_suspended": Meaning(
        "The operator suspended the seller's server over billing.", "Tell the seller, who can ask the operator."
    ),
    "invalid_api_key": Meaning(
        "The API key is missing, unknown, was rotated, or may not ask this.",
        "Tell the seller. Staff: paste the product's own key, which begins with `kp_live_`; `/product rotate-key` "
        "makes a new one.",
    ),
    "rate_limit_exceeded": Meaning(
        "Too many calls, or the product's calls for today are used up. This says nothing about the license.",
        "Wait as many seconds as `Retry-After` says, and go on with the last good answer until then.",
    ),
    "invalid_request": Meaning(
        "The request cannot be understood, or nothing answers it here.", "Do what `message` says, and send it again."
    ),
    "unavailable": Meaning(
        "The truth is not known right now. This says nothing about the license.",
        "Go on with the last good answer, and try again after `Retry-After` seconds.",
    ),
}
