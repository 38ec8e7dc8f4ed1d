"""Texts in CSV: what people wrote must stay text in a spreadsheet."""

# Full-width forms are computed as well.
_BEGINS_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def defused(text: str) -> str:
    """With an apostrophe in front where a spreadsheet would take it for a formula (OWASP, "CSV injection")."""
    return f"'{text}" if text.startswith(_BEGINS_FORMULA) else text
