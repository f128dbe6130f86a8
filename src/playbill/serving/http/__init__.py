"""HTTP: routes, bodies, problems, health and the OpenAPI document."""

from playbill.serving.http.api import Api

__all__ = ["Api"]
