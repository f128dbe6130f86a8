"""The pages for people: a feed that one can see, act on, compare and have explained."""

from playbill.console.routes import routes

__all__ = ["routes"]
