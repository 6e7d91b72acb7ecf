"""What a first visit to the sandbox's page tries by one click: issue, claim, revoke, and ask as a product would."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp

from i18n import gettext as _
from sandbox.page.guide import Call, Done, Guide, Try
from sandbox.places import Member
from sandbox.reply import Reply

KeyIn = Callable[[Reply], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Stage:
    """The prepared server: who is in it, and the product that it sells."""

    owner: Member
    support: Member
    buyers: tuple[Member, Member]
    api_key: str


class Tryout:
    """One license's way through the page's cards; a step out of turn does first what it needs."""

    def __init__(self, stage: Stage, *, product: str, base_url: str, key: str, key_in: KeyIn) -> None:
        self._stage = stage
        self._product = product
        self._base_url = base_url
        self._key_in = key_in
        self._key = key  # what the prepared request asks about
        self._unclaimed = ""
        self._claimed = ""
        self._at_work = asyncio.Lock()  # two tabs may press at once

    def invite(self, guide: Guide) -> None:
        """Put the cards on the page."""
        buyer = self._stage.buyers[0]
        guide.tries[:] = [
            Try(
                _("Issue a license"),
                _("Support issues a license to nobody yet; the key comes in a message of its own."),
                self._stage.support,
                self._issue,
            ),
            Try(
                _("Claim it"),
                _("{name} types the key and gets the product's role; look at the members.").format(name=buyer.name),
                buyer,
                self._claim,
            ),
            Try(
                _("Revoke it"),
                _("The owner takes it back. You are asked first: press the red button."),
                self._stage.owner,
                self._revoke,
            ),
        ]
        guide.call = Call(
            _("Validate"),
            _("What the sold product asks, at any time: is this license good here and now?"),
            self._request,
            self._validate,
        )

    async def _issue(self) -> None:
        async with self._at_work:
            self._unclaimed = await self._issued()

    async def _claim(self) -> None:
        async with self._at_work:
            await self._claim_next()

    async def _revoke(self) -> Done:
        async with self._at_work:
            if not self._claimed:
                await self._claim_next()
            self._key = self._claimed
            question = await self._stage.owner.slash("license revoke", license=self._claimed, reason="Chargeback")
        sentence = _("License #{id} for {product} is revoked; its next validation is refused.")
        _before, _product, ending = sentence.partition("{product}")
        return lambda: ending in question.text

    async def _issued(self) -> str:
        issued = await self._stage.support.slash("license issue", product=self._product)
        if issued.content and not issued.components:  # a refusal is one sentence, and no panel
            raise RuntimeError(_("The bot refused: {sentence}").format(sentence=issued.content))
        self._key = await self._key_in(issued)
        return self._key

    async def _claim_next(self) -> None:
        if not self._unclaimed:
            self._unclaimed = await self._issued()
        await self._stage.buyers[0].slash("claim", key=self._unclaimed)
        self._key = self._claimed = self._unclaimed
        self._unclaimed = ""

    def _request(self) -> str:
        key = f"{self._stage.api_key[:12]}…"
        return (
            f"POST {self._base_url}/api/v1/validate\n"
            f"Authorization: Bearer {key}\n"
            f"{json.dumps({'license_key': self._key})}"
        )

    async def _validate(self) -> tuple[int, str]:
        return await validate(self._base_url, self._stage.api_key, self._key)


async def validate(base_url: str, api_key: str, key: str) -> tuple[int, str]:
    """Ask the API as a product does; return the status and the body."""
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {api_key}"}) as session,
        session.post(f"{base_url}/api/v1/validate", json={"license_key": key}) as answer,
    ):
        return answer.status, await answer.text()
