"""The main job over the wire: issue, deliver, claim, hold the role, revoke, lose it."""

from discord_shop import API_URL, Shop


async def test_a_license_is_issued_delivered_validated_and_revoked(shop: Shop):
    created = await shop.owner.slash("product create", name="Pro", role=shop.holders)
    await created.wait_for(lambda it: len(it.messages) == 3)
    api_key = created.content
    assert api_key.startswith("kp_live_")
    assert f"curl -sS {API_URL}/api/v1/validate" in created.text

    issued = await shop.owner.slash("license issue", product="Pro", member=shop.alice, expiry="30d")
    assert "sent the key by direct message" in issued.text
    dm = (await shop.alice.wait_for_dm("Pro")), shop.alice.dms[-1]
    key = dm[1].content
    assert "Expires: <t:" in dm[0].text
    assert key not in issued.text
    assert key[-4:] in issued.text
    await shop.has_role(shop.alice)
    assert await shop.validate(api_key, key) == "active"

    claimed = await shop.alice.slash("claim", key=key)
    assert "yours now" in claimed.text

    question = await shop.owner.slash("license revoke", license=key, reason="Refunded")
    assert shop.alice.mention in question.text
    done = await question.click("Revoke for good")
    assert "is revoked" in done.text
    assert await shop.validate(api_key, key) == "revoked"
    await shop.has_role(shop.alice, held=False)
    told = await shop.alice.wait_for_dm("was revoked")
    assert "Reason: Refunded" in told.text
    for reply in (created, issued, claimed, question, done):
        assert reply.ephemeral
        assert reply.pings == []
