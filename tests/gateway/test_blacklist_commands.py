"""Staff block addresses by command and from a license's panel; the next validation is refused."""

from discord_shop import Shop

from licensing.addresses import Counting
from licensing.models import Actor
from licensing.services.blacklist import PAGE

HERE = "203.0.113.1"  # from where a shop's validations come


def owner_of(shop: Shop) -> Actor:
    return Actor(organization_id=shop.guild.id, id=shop.owner.id, is_administrator=True)


async def sold(shop: Shop) -> tuple[str, str]:
    """Return the API key of a product and the key of Bob's license, which runs here."""
    api_key = await shop.product()
    await shop.owner.slash("license issue", product="Pro", member=shop.bob)
    key = (await shop.bob.wait_for_dm("-")).content
    assert await shop.validate(api_key, key) == "active"
    return api_key, key


async def test_an_address_is_blocked_at_once_and_unblocked_by_the_button_that_says_so(shop: Shop):
    api_key, key = await sold(shop)

    done = await shop.owner.slash("blacklist add", address="::ffff:203.0.113.1", reason="**scans** @everyone")

    assert done.ephemeral
    assert f"### `{HERE}` is blocked\n**For:** everybody\n" in done.text
    assert r"\*\*scans\*\*" in done.text
    assert done.pings == []
    assert "**In use there now:** 1 registered address of 1 license" in done.text
    assert await shop.validate(api_key, key) == "ip_blocked"
    await shop.restart_bot()
    await done.click("Unblock")
    await done.wait_for(f"`{HERE}` is no longer blocked")
    assert await shop.validate(api_key, key) == "active"
    assert "is not blocked there" in (await shop.owner.slash("blacklist remove", entry=HERE)).text


async def test_a_block_can_be_for_one_member_one_email_address_or_one_license(shop: Shop):
    api_key, key = await sold(shop)
    emailed = await shop.stock(email="ada@example.com")

    for options, whom in (
        ({"member": shop.bob}, shop.bob.mention),
        ({"license": key}, "license #1"),
        ({"email": "Ada@example.com"}, "ada@example.com"),
    ):
        done = await shop.owner.slash("blacklist add", address="203.0.113.0/24", **options)
        assert f"**For:** {whom}\n" in done.text
        blocked = [await shop.validate(api_key, each) == "ip_blocked" for each in (key, emailed)]
        assert blocked == ["email" not in options, "email" in options]
        await done.click("Unblock")
        await done.wait_for("no longer blocked")
    several = await shop.owner.slash("blacklist add", address=HERE, member=shop.bob, license=key)
    assert "not several of them" in several.text
    unknown = await shop.owner.slash("blacklist add", address=HERE, email="nobody@example.com")
    assert "No customer `nobody@example.com` is known" in unknown.text


async def test_a_wide_range_is_asked_about_first_and_keeps_its_reason_through_a_restart(shop: Shop):
    api_key, key = await sold(shop)

    question = await shop.owner.slash("blacklist add", address="203.9.9.9/8", reason="botnet", license=key)

    assert "### Block `203.0.0.0/8`?" in question.text
    assert "`203.9.9.9/8` lies in this range, which is blocked as a whole." in question.text
    assert "it holds 16777216 addresses" in question.text
    assert "**For:** license #1" in question.text
    assert "1 registered address of 1 license" in question.text
    assert await shop.validate(api_key, key) == "active"
    await shop.restart_bot()
    await question.click("Block it")
    await question.wait_for("`203.0.0.0/8` is blocked")
    assert await shop.validate(api_key, key) == "ip_blocked"
    assert (await shop.world.events())[-1].reason == "botnet"
    again = await shop.owner.slash("blacklist add", address="203.0.0.0/8", license=key)
    assert "is blocked there already" in again.text
    assert again.buttons == []


async def test_cancelling_blocks_nothing_and_the_second_press_of_two_is_told_so(shop: Shop):
    first = await shop.owner.slash("blacklist add", address="2001::/16", member=shop.alice)
    second = await shop.owner.slash("blacklist add", address="2001::/16", member=shop.alice)
    third = await shop.owner.slash("blacklist add", address="2001::/16", member=shop.alice)
    assert "2^112 addresses" in first.text
    await first.click("Cancel")
    await first.wait_for("Nothing was changed")
    assert (await shop.world.blacklist.list(owner_of(shop))).count == 0

    await second.click("Block it")

    await second.wait_for("is blocked")
    assert "is blocked there already" in (await third.click("Block it")).text


async def test_the_panel_of_a_license_blocks_for_that_license_alone(shop: Shop):
    api_key, key = await sold(shop)
    other = await shop.stock(email="a@example.com")
    panel = await shop.owner.slash("license view", license=key)

    form = await panel.click("Blacklist…")
    refused = await form.submit({"Address or range": "300.1.1.1", "Reason": "shared"})
    assert "`300.1.1.1` is no address and no range" in refused.text
    again = await refused.click("Try again")
    assert [field.value for field in again.modal.fields] == ["300.1.1.1", "shared"]
    done = await again.submit({"Address or range": HERE, "Reason": "shared"})

    await done.wait_for(f"`{HERE}` is blocked")
    assert "**For:** license #1" in done.text
    assert [await shop.validate(api_key, each) for each in (key, other)] == ["ip_blocked", "active"]
    wide = await (await panel.click("Blacklist…")).submit({"Address or range": "10.0.0.0/9"})
    assert "### Block `10.0.0.0/9`?" in wide.text


async def test_a_long_list_is_paged_through_and_narrowed_to_one_member_or_license(shop: Shop):
    _, key = await sold(shop)
    assert "### 0 blocked addresses" in (await shop.owner.slash("blacklist list")).text
    for number in range(2 * PAGE):
        await shop.world.blacklist.add(owner_of(shop), network=f"198.51.100.{number}", reason="x" * 1_000)
    await shop.owner.slash("blacklist add", address="192.0.2.1", member=shop.bob)
    await shop.owner.slash("blacklist add", address="192.0.2.2", license=key)

    listed = await shop.owner.slash("blacklist list")
    assert f"### {2 * PAGE + 2} blocked addresses and ranges" in listed.text
    assert "Page 1 of 3" in listed.text
    assert listed.text.count("\n- ") == PAGE
    assert "more" not in listed.text
    await shop.restart_bot()
    await listed.click("Next")
    await listed.wait_for("Page 2 of 3")
    await listed.click("Previous")
    await listed.wait_for("Page 1 of 3")
    bobs = await shop.owner.slash("blacklist list", member=shop.bob)
    assert f"### 1 blocked address or range\n- `192.0.2.1` · {shop.bob.mention}" in bobs.text
    assert "- `192.0.2.2` · license #1" in (await shop.owner.slash("blacklist list", license=key)).text
    assert "Blocks for everybody hold for them too" in bobs.text
    alices = await shop.owner.slash("blacklist list", member=shop.alice)
    assert "### 0 blocked" in alices.text
    assert "`/blacklist add` blocks one." in alices.text
    of_license = await shop.owner.slash("blacklist list", license=key)
    assert "Blocks for its holder and for everybody hold for it too" in of_license.text


async def test_an_entry_to_remove_is_suggested_by_address_reason_and_whom_it_is_for(shop: Shop):
    api_key, key = await sold(shop)
    await shop.owner.slash("blacklist add", address="203.0.113.0/24", reason="Scans", member=shop.bob)
    await shop.owner.slash("blacklist add", address="2001:db8::/48", license=key)

    found = await shop.owner.complete("blacklist remove", "entry", HERE)
    assert [choice.name for choice in found] == ["203.0.113.0/24 · @Bob · Scans"]
    assert len(await shop.owner.complete("blacklist remove", "entry", "")) == 2
    assert [each.name for each in await shop.owner.complete("blacklist remove", "entry", "2001:DB8")] == [
        "2001:db8::/48 · license #1"
    ]
    removed = await shop.owner.slash("blacklist remove", entry=found[0].value)
    assert f"`203.0.113.0/24` is no longer blocked\n**For:** {shop.bob.mention}\n**Reason:** Scans" in removed.text
    assert await shop.validate(api_key, key) == "active"
    typed = await shop.owner.slash("blacklist remove", entry="2001:db8::/48", license=key)
    assert "no longer blocked" in typed.text


async def test_each_step_asks_for_the_permission_when_it_is_taken(shop: Shop):
    _, key = await sold(shop)
    await shop.grant("licenses:view", "blacklist:edit")
    panel = await shop.support.slash("license view", license=key)
    form = await panel.click("Blacklist…")
    question = await shop.support.slash("blacklist add", address="10.0.0.0/8")
    done = await shop.support.slash("blacklist add", address="198.51.100.1")
    await shop.owner.slash("staff revoke", role=shop.support_role, permissions="blacklist:edit")
    before = await shop.world.events()

    for reply in (
        await form.submit({"Address or range": HERE}),
        await question.click("Block it"),
        await done.click("Unblock"),
        await shop.support.slash("blacklist add", address=HERE),
        await shop.support.slash("blacklist remove", entry="198.51.100.1"),
    ):
        assert "`blacklist:edit`" in reply.text
    assert await shop.world.events() == before
    assert await shop.support.complete("blacklist remove", "entry", "") == []
    assert "198.51.100.1" in (await shop.support.slash("blacklist list")).text
    await shop.owner.slash("staff revoke", role=shop.support_role, permissions="licenses:view")
    assert "`licenses:view`" in (await shop.support.slash("blacklist list")).text


async def test_with_hashed_addresses_it_is_said_that_nobody_knows_whom_a_block_concerns(shop: Shop):
    api_key, key = await sold(shop)
    object.__setattr__(shop.client.context, "counting", Counting(pseudonym=lambda text: f"hash of {text}"))

    done = await shop.owner.slash("blacklist add", address=HERE)

    assert "kept as hashes" in done.text
    assert "In use there now" not in done.text
    assert "kept as hashes" in (await shop.owner.slash("blacklist list")).text
    assert await shop.validate(api_key, key) == "ip_blocked"


async def test_what_is_shown_at_its_longest_is_within_discords_limits(shop: Shop):
    await shop.product()
    email = f"{'e' * 64}@{'x' * 180}.example"
    await shop.stock(email=email)
    network = "2001:db8:ffff:ffff:ffff:ffff:ffff:fff0/124"
    done = await shop.owner.slash("blacklist add", address=network, email=email, reason="*" * 1_000)
    assert "is blocked" in done.text
    question = await shop.owner.slash("blacklist add", address="2001:8000::/17", email=email, reason="@" * 1_000)
    assert "@" * 1_000 in question.text
    for number in range(PAGE):
        await shop.owner.slash("blacklist add", address=f"2001:db8::ffff:{number}", email=email, reason="_" * 1_000)

    listed = await shop.owner.slash("blacklist list")

    assert listed.text.count("\n- ") == PAGE
    found = await shop.owner.complete("blacklist remove", "entry", "")
    assert max(len(choice.name) for choice in found) <= 100
    ids = [button.custom_id for reply in (done, question, listed) for button in reply.buttons]
    assert max(map(len, ids)) <= 100


async def test_a_bot_is_no_customer_to_block(shop: Shop):
    refused = await shop.owner.slash("blacklist add", address=HERE, member=shop.client.user.id)

    assert "A bot cannot hold a license" in refused.text


async def test_an_address_where_several_licenses_run_is_blocked_for_everybody_only_after_asking(shop: Shop):
    api_key, key = await sold(shop)
    other = await shop.stock(email="a@example.com")
    assert await shop.validate(api_key, other) == "active"

    question = await shop.owner.slash("blacklist add", address=HERE, reason="shared office")

    assert f"### Block `{HERE}`?" in question.text
    assert "**In use there now:** 2 registered addresses of 2 licenses" in question.text
    assert "wide range" not in question.text
    assert await shop.validate(api_key, key) == "active"
    alone = await shop.owner.slash("blacklist add", address=HERE, license=key)
    assert f"### `{HERE}` is blocked" in alone.text
    await shop.restart_bot()
    await question.click("Block it")
    await question.wait_for(f"### `{HERE}` is blocked\n**For:** everybody\n**Reason:** shared office")
    assert await shop.validate(api_key, other) == "ip_blocked"


async def test_a_member_who_is_blocked_after_a_question_keeps_their_name(shop: Shop):
    question = await shop.owner.slash("blacklist add", address="10.0.0.0/8", member=shop.alice)
    await question.click("Block it")
    await question.wait_for("is blocked")

    found = await shop.owner.complete("blacklist remove", "entry", "")

    assert [each.name for each in found] == ["10.0.0.0/8 · @Alice"]


async def test_what_is_blocked_for_an_email_address_is_listed_and_removed_by_it(shop: Shop):
    await shop.product()
    await shop.stock(email="ada@example.com")
    await shop.owner.slash("blacklist add", address=HERE, email="ada@example.com")
    await shop.owner.slash("blacklist add", address="198.51.100.1")

    listed = await shop.owner.slash("blacklist list", email="Ada@example.com")
    assert "### 1 blocked address or range\n" in listed.text
    assert f"`{HERE}` · ada@example.com" in listed.text
    removed = await shop.owner.slash("blacklist remove", entry=HERE, email="ada@example.com")
    assert "no longer blocked" in removed.text


async def test_licenses_are_suggested_and_blocking_offered_only_to_who_may_see_and_do_it(shop: Shop):
    await sold(shop)
    await shop.grant("blacklist:edit")
    for command in ("add", "remove"):
        assert await shop.support.complete(f"blacklist {command}", "license", "") == []
    await shop.grant("licenses:view")
    assert len(await shop.support.complete("blacklist add", "license", "")) == 1
    await shop.owner.slash("staff revoke", role=shop.support_role, permissions="blacklist:edit")
    listed = await shop.support.slash("blacklist list")
    assert "### 0 blocked" in listed.text
    assert "/blacklist add" not in listed.text
