"""The command line: ``playbill VERB``."""

from playbill.cli.main import main

__all__ = ["main"]
