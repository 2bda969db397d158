"""Text in pictures, by Tesseract: the extra ``ocr`` and the program ``tesseract`` with its German and English data. Without them there is none."""

from typing import Any

_SECONDS_PER_PAGE = 20


def recognise(picture: Any) -> list[str]:
    """Return the lines of text in a picture; none where the program is missing or takes too long.

    Args:
        picture: of PIL.
    """
    import pytesseract

    try:
        text: str = pytesseract.image_to_string(picture, lang="deu+eng", timeout=_SECONDS_PER_PAGE)
    except (pytesseract.TesseractError, pytesseract.TesseractNotFoundError, RuntimeError, OSError):
        # Without German data the program still knows English; pytesseract's time-out is a RuntimeError.
        return []
    return text.split("\n")
