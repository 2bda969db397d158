"""Export of SVG drawings to PDF and PNG; requires the extra ``pictures``."""

import re
from functools import cache
from io import BytesIO

from luna.words.charts.style import read_asset

# Pixels of a PNG per pixel of the drawing.
SCALE = 2.0
# PDF points per CSS pixel.
POINTS = 0.75
# One of the standard fonts of every PDF viewer, PDFium included.
FONT = "Helvetica"


def write_pdf(svg: str) -> bytes:
    """Return a drawing as a PDF of one page, in light colours.

    The same drawing gives the same bytes.

    Raises:
        ValueError: it is no SVG.
    """
    from reportlab.graphics import renderPDF
    from reportlab.pdfgen.canvas import Canvas
    from svglib.svglib import svg2rlg

    drawing = svg2rlg(BytesIO(_fix_style(svg).encode()))
    if drawing is None:
        raise ValueError("no SVG")
    written = BytesIO()
    canvas = Canvas(written, pagesize=(drawing.width, drawing.height), invariant=1)
    renderPDF.draw(drawing, canvas, 0, 0)
    canvas.showPage()
    canvas.save()
    return written.getvalue()


def write_png(svg: str) -> bytes:
    """Return a drawing as PNG in light colours; equal drawings give equal bytes."""
    from pypdfium2 import PdfDocument

    written = BytesIO()
    with PdfDocument(write_pdf(svg)) as document:
        document[0].render(scale=SCALE / POINTS).to_pil().save(written, format="PNG")
    return written.getvalue()


@cache
def _read_light_colours() -> dict[str, str]:
    return dict(re.findall(r"(--[\w-]+): light-dark\(([^,]+),", str(read_asset("palette.css")))) | {
        "--font": FONT
    }


def _fix_style(svg: str) -> str:
    """Replace what svglib does not support in style sheets: variables and numeric font weights."""
    fixed = svg.replace(str(read_asset("palette.css")), "")
    fixed = re.sub(r"var\((--[\w-]+)\)", _read_colour, fixed)
    fixed = fixed.replace("font-weight: 600", "font-weight: bold")
    return fixed.replace("font-weight: 400", "font-weight: normal")


def _read_colour(variable: re.Match[str]) -> str:
    return _read_light_colours()[variable[1]]
