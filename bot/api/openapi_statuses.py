"""What every status means and what to do about it, in the words that the API's description gives to everybody."""

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
        "Compare the key with the one that was issued, and check that the API key belongs to the same product.",
    ),
    "revoked": Meaning(
        "Staff ended the license for good.", "A revoked license never returns; staff can issue a new one."
    ),
    "suspended": Meaning("Staff paused the license.", "The customer asks the seller; staff can reinstate it."),
    "not_claimed": Meaning(
        "The license was issued to nobody, and nobody has claimed it yet.",
        "The customer types `/claim` with this key in the seller's Discord server.",
    ),
    "expired": Meaning(
        "The license has ended, and the product refuses ended licenses.",
        "Staff can extend it with `/license extend`.",
    ),
    "ip_blocked": Meaning(
        "The caller's address is on a blacklist.",
        "Staff see which with `/blacklist list`; the operator's own list is only theirs to change.",
    ),
    "ip_not_registered": Meaning(
        "The caller's address has no seat, and the product does not let it take one by itself.",
        "The holder or staff reset the addresses, or staff let addresses register by themselves.",
    ),
    "ip_limit_reached": Meaning(
        "The caller's address has no seat, and all seats are taken.",
        "The holder or staff reset the addresses, or staff raise the limit with `/license edit`.",
    ),
    "device_limit_reached": Meaning(
        "The device has no seat, and all seats for devices are taken.",
        "The holder or staff reset the devices, or staff raise the product's limit.",
    ),
    "version_not_allowed": Meaning(
        "This version of the product is not allowed for this license.",
        "Update the product, or go back to a version that the license is good for.",
    ),
    "product_not_found": Meaning("The product vanished while the request was on its way.", "Tell the seller."),
    "product_archived": Meaning("The product is archived.", "Staff bring it back with `/product unarchive`."),
    "product_disabled": Meaning("The product is switched off.", "Staff switch it on with `/product enable`."),
    "org_suspended": Meaning("The operator suspended the seller's server.", "The seller asks the operator."),
    "billing_suspended": Meaning(
        "The operator suspended the seller's server over billing.", "The seller asks the operator."
    ),
    "invalid_api_key": Meaning(
        "The API key is missing, unknown, was rotated, or may not ask this.",
        "Paste the product's own key, which begins with `kp_live_`; staff make a new one with `/product rotate-key`.",
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
