"""What can be wrong with a file, in one line."""


class FileError(ValueError):
    """A file that cannot be read or written. The text names it, says what was expected and what came."""
