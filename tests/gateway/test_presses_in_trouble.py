"""What a press is answered when Discord itself fails at a part of it."""

from discord_shop import Shop


async def test_a_press_that_discord_fails_at_is_answered_with_advice_and_works_when_repeated(shop: Shop, caplog):
    await shop.product()
    await shop.alice.slash("claim", key=await shop.stock())
    await shop.alice.slash("transfer request", license="#1", member=shop.bob)
    message = await shop.bob.wait_for_dm("offers you a license")
    shop.sandbox.fail_requests(status=503, method="GET", path_prefix=f"/guilds/{shop.guild.id}/members/")

    refused = await message.click("Accept")

    assert "Discord did not answer" in refused.text
    assert "reference" not in refused.text
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
    await message.click("Accept")
    await shop.alice.wait_for_dm("now its staff decide")
