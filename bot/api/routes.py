"""Which address leads to which handler, and what every other address and method is told."""

from collections.abc import Callable

from aiohttp import hdrs, web

from bot.api.addresses import AddressReader
from bot.api.docs import DocsHandlers
from bot.api.errors import Handler, Refused, answering, nothing_here
from bot.api.handlers import LicenseHandlers
from bot.api.health import Health, Readiness, healthz
from bot.api.limits import BODY_LIMIT
from bot.api.metrics import Metrics, MetricsPage
from bot.api.proofs import Proofs
from bot.api.server import DIRECT
from i18n import gettext as _
from licensing.services.validation import ValidationService
from licensing.verdict import Status


def build_api(
    validation: ValidationService,
    *,
    addresses: AddressReader,
    proofs: Proofs,
    health: Health,
    metrics: Metrics,
    metrics_page: MetricsPage | None = None,
) -> web.Application:
    """Put the API together over the use cases it serves; without `metrics_page` there is no `/metrics`."""
    app = web.Application(client_max_size=BODY_LIMIT)
    licenses, readiness = LicenseHandlers(validation, addresses, proofs, metrics), Readiness(health, addresses)
    validate = _add(app, "POST", "/api/v1/validate", licenses.validate, refused=metrics.refused)
    app[DIRECT] = {("POST", "/api/v1/validate"): validate}
    _add(app, "GET", "/api/v1/license/{key}", licenses.lookup, refused=metrics.refused)
    _add(app, "GET", "/api/v1/license/{key}/file", licenses.license_file, refused=metrics.refused)
    _add(app, "GET", "/api/v1/keys", licenses.keys, refused=metrics.refused)
    _add(app, "GET", "/healthz", healthz, head=True)
    _add(app, "GET", "/readyz", readiness.readyz, head=True)
    if metrics_page is not None:
        _add(app, "GET", "/metrics", metrics_page.metrics, head=True)
    for path, handler in DocsHandlers(health.version).places().items():
        _add(app, "GET", path, handler, head=True)
    app.router.add_route("*", "/{path:.*}", answering(_nothing_here))
    return app


def _add(
    app: web.Application,
    method: str,
    path: str,
    handler: Handler,
    *,
    head: bool = False,
    refused: Callable[[Status], None] = lambda _: None,
) -> Handler:
    # No HEAD where an answer is counted against a quota: it would cost a call and show nothing.
    resource, allowed = app.router.add_resource(path), [method, "OPTIONS"]
    answers = answering(handler, refused=refused)
    resource.add_route(method, answers)
    if head:
        allowed.insert(1, "HEAD")
        resource.add_route("HEAD", answering(handler))
    resource.add_route("*", answering(_other_method(", ".join(allowed))))
    return answers


def _other_method(allow: str) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        if request.method == hdrs.METH_OPTIONS:
            return web.Response(status=204, headers={hdrs.ALLOW: allow})
        message = _("This address takes {methods} only.").format(methods=allow)
        raise Refused(405, Status.INVALID_REQUEST, message, headers={hdrs.ALLOW: allow})

    return answer


async def _nothing_here(_request: web.Request) -> web.Response:
    raise nothing_here()
