"""A license that was sold to Bob, what is blocked for it or around it, and what its next call is told."""

from storage_world import OWNER, World

from licensing.choices import ActorKind, BlockLevel
from licensing.models import PLATFORM, Actor
from licensing.services.block_targets import EVERYBODY, Target
from licensing.verdict import Status

BOB, EVE = 20, 21
OPERATOR = Actor(organization_id=PLATFORM, kind=ActorKind.OPERATOR)
HERE = "203.0.113.7"


class Sold:
    """A product with one license of Bob's."""

    def __init__(self, world: World, api_key: str, key: str, reference: str) -> None:
        self.world, self.api_key, self.key, self.reference = world, api_key, key, reference

    async def status(self, address: str = HERE) -> Status:
        return (await self.world.validate(self.api_key, self.key, address)).status


async def sold(world: World, *, by: Actor = OWNER, name: str = "Pro", **terms: object) -> Sold:
    product = await world.product(name, by=by)
    issued = await world.issue(name, by=by, **({"discord_id": BOB} | terms))
    return Sold(world, product.api_key, issued.key, f"#{issued.view.license.id}")


def targets(pro: Sold) -> dict[BlockLevel, tuple[Actor, Target]]:
    return {
        BlockLevel.PLATFORM: (OPERATOR, EVERYBODY),
        BlockLevel.ORGANIZATION: (OWNER, EVERYBODY),
        BlockLevel.CUSTOMER: (OWNER, Target(discord_id=BOB)),
        BlockLevel.LICENSE: (OWNER, Target(license=pro.reference)),
    }
