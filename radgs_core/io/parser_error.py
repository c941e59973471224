"""What a third-party parser says of a damaged file, fit to stand inside a sentence."""


def reason_of(error: Exception) -> str:
    """The first line of the error's text, printable, without full stops, at most 160 characters."""
    if isinstance(error, EOFError):
        return "the file is truncated"
    lines = str(error).strip().splitlines()
    text = (lines[0] if lines else type(error).__name__).replace(". ", "; ").rstrip(".")
    return "".join(c if c.isprintable() else "?" for c in text)[:160]
