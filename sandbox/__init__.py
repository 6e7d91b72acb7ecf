"""A stand-in for Discord on loopback: REST v10, Gateway v10, and the people who use it."""

from sandbox.driver import Outage, Sandbox
from sandbox.errors import DriverError
from sandbox.permissions import Permission
from sandbox.person import Channel, Choice
from sandbox.places import Guild, Member
from sandbox.reply import Posted, Reply
from sandbox.seen import Button, Field, Modal, Select
from sandbox.sessions import Intent

__all__ = [
    "Button",
    "Channel",
    "Choice",
    "DriverError",
    "Field",
    "Guild",
    "Intent",
    "Member",
    "Modal",
    "Outage",
    "Permission",
    "Posted",
    "Reply",
    "Sandbox",
    "Select",
]
