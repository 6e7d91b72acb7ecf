"""Starting and stopping the sandbox's web server on loopback."""

from aiohttp import web

from sandbox.hub import Hub
from sandbox.page.guide import Guide
from sandbox.rest.app import build
from sandbox.rest.wire import PREFIX

LOOPBACK = "127.0.0.1"


class Server:
    """One listening socket for REST, gateway and files."""

    def __init__(self, shared: Hub, *, port: int = 0) -> None:
        self._hub = shared
        self.guide = Guide()
        self._port = port
        self._runner: web.AppRunner | None = None
        self.origin = ""

    async def start(self) -> None:
        # A client that never says goodbye must not hold up the stop.
        self._runner = web.AppRunner(build(self._hub, self.guide), access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, LOOPBACK, self._port)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.origin = f"http://{host}:{port}"
        self._hub.gateway.url = self.gateway_url
        self._hub.world.cdn_base = self.cdn_base

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def page_url(self) -> str:
        return f"{self.origin}/"

    @property
    def rest_base(self) -> str:
        return f"{self.origin}{PREFIX}"

    @property
    def gateway_url(self) -> str:
        return f"{self.origin.replace('http', 'ws', 1)}/gateway"

    @property
    def cdn_base(self) -> str:
        return f"{self.origin}/cdn"
