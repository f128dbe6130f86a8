"""``python -m playbill.cli``."""

from playbill.cli.main import main

main()
