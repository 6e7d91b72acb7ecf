"""One bot in two servers: nothing crosses over."""

from discord_shop import Shop


async def test_a_key_of_one_server_means_nothing_in_another(shop: Shop):
    other = shop.sandbox.add_guild("Rival", owner="Rita")
    await shop.product("Pro")
    api_key = await shop.product("Pro", by=other.owner)
    key = await shop.stock("Pro")
    visitor = other.add_member(shop.bob)

    assert "No license with this key" in (await visitor.slash("claim", key=key)).text
    assert "No such license" in (await other.owner.slash("license view", license=key)).text
    assert "No such license" in (await other.owner.slash("license view", license="#1")).text
    assert "No such license" in (await other.owner.slash("license revoke", license="#1")).text
    assert await shop.validate(api_key, key) == "license_not_found"
    assert "yours now" in (await shop.bob.slash("claim", key=key)).text
    assert "You hold no license here" in (await visitor.slash("licenses")).text


async def test_completions_and_lists_end_at_the_server(shop: Shop):
    other = shop.sandbox.add_guild("Rival", owner="Rita")
    await shop.product("Alpha")
    key = await shop.stock("Alpha")
    await shop.product("Beta", by=other.owner)

    assert [each.value for each in await other.owner.complete("product view", "product", "")] == ["Beta"]
    assert await other.owner.complete("license view", "license", "") == []
    assert await other.owner.complete("license view", "license", key) == []
    assert await other.owner.complete("license view", "license", "#1") == []
    assert "Alpha" not in (await other.owner.slash("product list")).text
    assert "no product `Alpha`" in (await other.owner.slash("product view", product="Alpha")).text


async def test_a_grant_in_one_server_is_none_in_another(shop: Shop):
    other = shop.sandbox.add_guild("Rival", owner="Rita")
    await shop.grant("products:view")
    role = other.add_role("Support", permissions=["manage_messages"])
    there = other.add_member(shop.support, roles=[role])

    assert "`products:view`" in (await there.slash("product list")).text


async def test_the_owner_of_one_server_owns_nothing_in_another(shop: Shop):
    role = shop.guild.add_role("Helper", permissions=["manage_messages"])
    other = shop.sandbox.add_guild("Rival", owner="Rita")
    guest = shop.guild.add_member(other.owner, roles=[role])

    assert "`products:edit`" in (await guest.slash("product create", name="Mine")).text


async def test_nothing_of_another_server_is_found_changed_or_taken_over(shop: Shop):
    other = shop.sandbox.add_guild("Rival", owner="Rita")
    api_key = await shop.product("Pro")
    await shop.product("Pro", by=other.owner)
    key = await shop.stock("Pro", email="eve@example.com", expiry="30d")
    rita = other.owner
    before = await shop.world.events()

    assert "### 0 licenses found" in (await rita.slash("license find")).text
    assert "### 0 licenses found" in (await rita.slash("license find", text=key)).text
    for command, options in {
        "license edit": {"notes": "mine"},
        "license extend": {"duration": "5d"},
        "license suspend": {},
        "license reinstate": {},
        "license reset-ips": {},
    }.items():
        assert "No such license" in (await rita.slash(command, license="#1", **options)).text
        assert "No such license" in (await rita.slash(command, license=key, **options)).text
    assert await shop.world.events() == before
    assert await shop.validate(api_key, key) == "active"


async def test_a_transfer_of_one_server_is_none_in_another_even_between_the_same_two(shop: Shop):
    other = shop.sandbox.add_guild("Rival", owner="Rita")
    alice, bob = other.add_member(shop.alice), other.add_member(shop.bob)
    await shop.product("Pro")
    await shop.product("Pro", by=other.owner)
    await shop.owner.slash("license issue", product="Pro", member=shop.alice)
    await shop.alice.slash("transfer request", license="#1", member=shop.bob)

    assert "No such license" in (await alice.slash("transfer request", license="#1", member=bob)).text
    assert "Nothing is being transferred" in (await bob.slash("transfer list")).text
    await (await shop.bob.wait_for_dm("offers you")).click("Accept")
    assert "Nothing waits" in (await other.owner.slash("approvals")).text
    await (await shop.owner.slash("approvals")).click("Approve")
    assert "You hold no license here" in (await bob.slash("licenses")).text
    assert "1 license here" in (await shop.bob.slash("licenses")).text
