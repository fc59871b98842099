"""What is wrong with a declaration."""


class DeclarationError(TypeError):
    """An operation is not declared completely; the text says what to write."""
