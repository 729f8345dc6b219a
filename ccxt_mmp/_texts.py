"""Values in error texts."""


def shown(value: object) -> str:
    """A value in an error text: short, whatever it is."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # nested too deeply, or an integer of more digits than Python writes
        text = f'a value of the type {type(value).__name__}'
    return text if len(text) <= 200 else text[:200] + '...'
