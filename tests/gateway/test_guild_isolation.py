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
