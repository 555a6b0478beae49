"""A template drawn for one reader."""

from datetime import tzinfo
from typing import Any

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from pi_opensync.dashboard.web.visitor import zone_of


class Page:
    """Draw templates in the zone of who asks; `zone` where the browser told none."""

    def __init__(self, templates: Environment, zone: tzinfo | None) -> None:
        self._templates = templates
        self._zone = zone

    def __call__(self, request: Request, template: str, **values: Any) -> Response:
        return HTMLResponse(self.text(request, template, **values))

    def text(self, request: Request, template: str, **values: Any) -> str:
        """Return a piece of a page."""
        return self._templates.get_template(template).render(zone=zone_of(request, self._zone), **values)
