"""Named API keys, to be shipped with a program: they may validate, and look nobody up."""

from proof_checks import file_of, published, with_files


async def test_a_named_key_may_validate_and_fetch_files_and_keys_and_look_nobody_up(shop):
    product = await with_files(shop)
    issued = await shop.issue(notes="private")
    named = await shop.api_keys.add(shop.staff, "Widget", "Shipped jar")
    assert (await shop.validate(named.api_key, issued.key)).seen == (200, "active")
    assert (await file_of(shop, named.api_key, issued.key)).code == 200
    assert await published(shop, named.api_key) == await published(shop, product.api_key)
    for key in (issued.key, "ABCD-EFGH-JKMN-PQRS"):
        refused = await shop.get(f"/api/v1/license/{key}", named.api_key)
        assert refused.seen == (403, "invalid_api_key")
        assert b"private" not in refused.raw
    assert (await shop.get(f"/api/v1/license/{issued.key}", product.api_key)).code == 200


async def test_a_named_key_lives_through_a_rotation_of_the_primary_one_and_dies_when_it_is_removed(shop):
    await shop.product()
    issued = await shop.issue()
    named = await shop.api_keys.add(shop.staff, "Widget", "Jar")
    await shop.catalog.rotate_key(shop.staff, name="Widget")
    assert (await shop.validate(named.api_key, issued.key)).seen == (200, "active")
    await shop.api_keys.remove(shop.staff, "Widget", " JAR ")
    assert (await shop.validate(named.api_key, issued.key)).seen == (401, "invalid_api_key")
