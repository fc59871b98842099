"""`python -m luxgrad`."""

from .cli.main import entry

entry()
