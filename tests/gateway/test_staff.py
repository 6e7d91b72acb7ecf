"""Staff: permission codes decide, whatever Discord shows or hides."""

from discord_shop import Shop

STAFF_COMMANDS = {"approvals", "blacklist", "bulk", "license", "product", "staff"}
MEMBER_COMMANDS = {"claim", "licenses", "transfer", "why"}


async def test_staff_commands_are_hidden_from_members_and_no_command_mixes_the_two(shop: Shop):
    assert set(shop.bob.commands) == MEMBER_COMMANDS
    assert set(shop.support.commands) == MEMBER_COMMANDS | STAFF_COMMANDS | {"Licenses"}


async def test_who_may_view_sees_a_panel_but_neither_reveals_nor_revokes_nor_issues(shop: Shop):
    api_key = await shop.product()
    key = await shop.stock()
    await shop.grant("licenses:view")

    panel = await shop.support.slash("license view", license=key)

    assert "waiting to be claimed" in panel.text
    assert key not in panel.text
    assert "`licenses:reveal`" in (await panel.click("Show key")).text
    assert "`licenses:revoke`" in (await panel.click("Revoke…")).text
    assert "`licenses:create`" in (await shop.support.slash("license issue", product="Pro")).text
    assert "`products:view`" in (await shop.support.slash("product list")).text
    assert await shop.validate(api_key, key) == "not_claimed"


async def test_a_member_without_any_grant_is_told_what_they_lack(shop: Shop):
    reply = await shop.support.slash("product create", name="Mine")

    assert "You need the permission `products:edit`" in reply.text
    assert reply.ephemeral


async def test_nobody_grants_what_they_lack(shop: Shop):
    await shop.grant("roles:edit", "licenses:view")
    helper = shop.guild.add_role("Helper", permissions=["manage_messages"])

    refused = await shop.support.slash("staff grant", role=helper, permissions="licenses:revoke")
    granted = await shop.support.slash("staff grant", role=helper, permissions="licenses:view")

    assert "You do not have the permission `licenses:revoke` yourself" in refused.text
    assert "was given 1 permission." in granted.text


async def test_a_change_of_a_role_shows_what_it_may_do_before_and_after(shop: Shop):
    await shop.grant("licenses:view")

    given = await shop.owner.slash(
        "staff grant", role=shop.support_role, permissions="licenses:view, licenses:edit, products:view"
    )
    taken = await shop.owner.slash("staff revoke", role=shop.support_role, permissions="all")
    again = await shop.owner.slash("staff revoke", role=shop.support_role, permissions="all")

    all_three = "`licenses:edit`, `licenses:view`, `products:view`"
    assert f"**Permissions:** `licenses:view` → {all_three}\n" in given.text
    assert "**Given:** `licenses:edit`, `products:view`" in given.text
    assert "was given 2 permissions." in given.text
    assert f"**Permissions:** {all_three} → none\n**Taken:** {all_three}" in taken.text
    assert "lost 3 permissions." in taken.text
    assert "→" not in again.text


async def test_a_permission_that_is_taken_back_is_gone_at_the_next_press(shop: Shop):
    await shop.product()
    key = await shop.stock()
    await shop.grant("licenses:view", "licenses:reveal")
    panel = await shop.support.slash("license view", license=key)
    assert (await panel.click("Show key")).content == key

    await shop.owner.slash("staff revoke", role=shop.support_role, permissions="licenses:reveal")

    assert "`licenses:reveal`" in (await panel.click("Show key")).text


async def test_a_role_that_is_taken_away_takes_its_powers_along(shop: Shop):
    await shop.product()
    key = await shop.stock()
    await shop.grant("licenses:view")
    panel = await shop.support.slash("license view", license=key)

    shop.support.remove_role(shop.support_role)

    assert "`licenses:view`" in (await panel.click("Refresh")).text


async def test_a_grant_names_the_commands_that_the_role_cannot_see(shop: Shop):
    hidden = shop.guild.add_role("Interns")

    told = await shop.owner.slash("staff grant", role=hidden, permissions="licenses:view")
    assert "cannot see `/approvals`, `/blacklist`, `/bulk`, `/license`, `/product`, `/staff`" in told.text
    assert "Integrations" in told.text

    shop.guild.allow_command("license", hidden, allowed=True)
    told = await shop.owner.slash("staff grant", role=hidden, permissions="licenses:view")
    assert "cannot see `/approvals`, `/blacklist`, `/bulk`, `/product`, `/staff`" in told.text

    shop.guild.set_permissions(hidden, ["manage_messages"])
    told = await shop.owner.slash("staff grant", role=hidden, permissions="licenses:view")
    assert "cannot see" not in told.text


async def test_the_list_shows_who_may_do_what_even_for_deleted_roles(shop: Shop):
    assert "only administrators" in (await shop.owner.slash("staff list")).text
    await shop.grant("licenses:view", "products:view")
    shop.guild.remove_role(shop.support_role)

    listed = await shop.owner.slash("staff list")

    assert "`licenses:view`, `products:view`" in listed.text
    assert "(deleted role)" in listed.text


async def test_an_unknown_permission_is_named(shop: Shop):
    reply = await shop.owner.slash("staff grant", role=shop.support_role, permissions="licenses:view, fly")

    assert "`fly` is no permission" in reply.text


async def test_a_completion_asks_for_the_permission_of_its_command_and_no_other(shop: Shop):
    await shop.product()
    await shop.product("Old")
    await (await shop.owner.slash("product archive", product="Old")).click("Archive")
    await shop.stock()

    async def suggested(command: str, option: str) -> list[str]:
        return [choice.value for choice in await shop.support.complete(command, option, "")]

    await shop.grant("licenses:view")
    assert await suggested("license find", "product") == ["Old", "Pro"]
    assert await suggested("license view", "license") == ["#1"]
    for command, option in (
        ("license issue", "product"),
        ("product view", "product"),
        ("product rotate-key", "product"),
        ("license suspend", "license"),
        ("license reset-ips", "license"),
        ("license revoke", "license"),
    ):
        assert await suggested(command, option) == []
    await shop.owner.slash("staff revoke", role=shop.support_role, permissions="licenses:view")
    await shop.grant("licenses:create", "licenses:revoke", "products:edit")
    assert await suggested("license issue", "product") == ["Pro"]
    assert await suggested("license revoke", "license") == ["#1"]
    assert await suggested("license view", "license") == []
    assert await suggested("product unarchive", "product") == ["Old"]
    assert await suggested("product enable", "product") == []


async def test_rotating_a_key_is_refused_before_anything_is_asked(shop: Shop):
    await shop.product()
    await shop.grant("products:view")

    refused = await shop.support.slash("product rotate-key", product="Pro")

    assert "`products:edit`" in refused.text
    assert refused.buttons == []


async def test_permissions_complete_one_after_the_other_out_of_those_one_holds(shop: Shop):
    first = await shop.owner.complete("staff grant", "permissions", "lic", role=shop.support_role)
    second = await shop.owner.complete(
        "staff grant", "permissions", "licenses:view, products:v", role=shop.support_role
    )

    assert "licenses:create" in [choice.value for choice in first]
    assert [choice.value for choice in second] == ["licenses:view, products:view"]
    assert await shop.support.complete("staff grant", "permissions", "", role=shop.support_role) == []


async def test_completion_shows_only_what_one_may_see(shop: Shop):
    await shop.product()
    key = await shop.stock()
    await shop.bob.slash("claim", key=key)

    assert await shop.support.complete("license view", "license", "") == []
    assert await shop.support.complete("product view", "product", "") == []

    await shop.grant("licenses:view", "products:view")
    choices = await shop.support.complete("license view", "license", key[:4])
    assert [choice.name for choice in choices] == [f"#1 …-{key[-4:]} · Pro · @Bob · active"]
    assert choices[0].value.startswith("#")
    assert [each.value for each in await shop.support.complete("product view", "product", "p")] == ["Pro"]
    found = await shop.support.slash("license view", license=choices[0].value)
    assert shop.bob.mention in found.text


async def test_a_check_shows_every_check_in_order_and_changes_nothing(shop: Shop):
    await shop.product(max_ips=1)
    key = await shop.stock()

    refused = await shop.owner.slash("license check", license=key, address="203.0.113.9")
    assert "refused" in refused.text
    assert "`status` is `not_claimed`" in refused.text
    assert [line[0] for line in refused.text.splitlines()[1:11]] == [*"✅✅✅✅❌", *"⏭" * 5]

    await shop.bob.slash("claim", key=key)
    accepted = await shop.owner.slash("license check", license=key)
    assert "accepted" in accepted.text
    assert "No address was given" in accepted.text
    wrong = await shop.owner.slash("license check", license=key, address="300.1.1.1")
    assert "`300.1.1.1` is no IP address" in wrong.text
    view = await shop.owner.slash("license view", license=key)
    assert "**Addresses:** 0 of 1" in view.text
