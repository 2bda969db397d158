"""Files of every format that the knowledge service reads, made by other libraries than read
them.
"""

import io
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from zipfile import ZIP_DEFLATED, ZipFile

PROSE = (
    "Der Speicher wird mit der Energie aus der Anlage geladen und nicht aus dem Netz, wenn der "
    "Preis hoch ist. "
)
ROWS = [
    ["Tarif", "Arbeitspreis", "Grundpreis"],
    ["Basis", "31,20", "9,90"],
    ["Dynamisch mit Zähler", "18,50", "12,90"],
]
TABLE = (
    "Tarif | Arbeitspreis | Grundpreis\nBasis | 31,20 | 9,90\nDynamisch mit Zähler | 18,50 | 12,90"
)


def pdf(pages: int = 2, *, encrypt: str | None = None) -> bytes:
    """A price sheet: title, heading, text, table, list; then pages of text."""
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import (
        ListFlowable,
        ListItem,
        PageBreak,
        Paragraph,
        SimpleDocTemplate,
        Table,
    )

    styles = getSampleStyleSheet()
    story = [
        Paragraph("Preisblatt", styles["Title"]),
        Paragraph("Arbeitspreise", styles["Heading2"]),
        Paragraph(PROSE * 3, styles["Normal"]),
        Table(ROWS),
        Paragraph("Nach der Tabelle.", styles["Normal"]),
        ListFlowable(
            [
                ListItem(Paragraph(text, styles["Normal"]))
                for text in ("Erster Punkt", "Zweiter Punkt")
            ],
            bulletType="bullet",
        ),
    ]
    for number in range(2, pages + 1):
        story += [
            PageBreak(),
            Paragraph(f"Seite {number}", styles["Heading2"]),
            Paragraph(PROSE * 20, styles["Normal"]),
        ]
    buffer = io.BytesIO()
    SimpleDocTemplate(buffer, title="Preisblatt 2026", encrypt=encrypt).build(story)
    return buffer.getvalue()


def scanned_pdf() -> bytes:
    """A page that is a picture alone."""
    from PIL import Image
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    canvas.drawImage(ImageReader(Image.new("L", (200, 200), 200)), 50, 50)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def docx() -> bytes:
    """A document with title, heading, text, list and table."""
    from docx import Document

    document = Document()
    document.add_heading("Preisblatt", 0)
    document.add_heading("Arbeitspreise", 1)
    document.add_paragraph(PROSE * 3)
    for text in ("Erster Punkt", "Zweiter Punkt"):
        document.add_paragraph(text, style="List Bullet")
    table = document.add_table(rows=len(ROWS), cols=len(ROWS[0]))
    for row, cells in zip(table.rows, ROWS, strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def pptx() -> bytes:
    """Two slides: one of text, one with a table."""
    from pptx import Presentation
    from pptx.util import Inches

    presentation = Presentation()
    first = presentation.slides.add_slide(presentation.slide_layouts[1])
    first.shapes.title.text = "Arbeitspreise"
    first.placeholders[1].text = f"Erster Punkt\n{PROSE}"
    second = presentation.slides.add_slide(presentation.slide_layouts[5])
    second.shapes.title.text = "Tabelle"
    table = second.shapes.add_table(
        len(ROWS), len(ROWS[0]), Inches(1), Inches(2), Inches(6), Inches(2)
    ).table
    for row, cells in enumerate(ROWS):
        for column, text in enumerate(cells):
            table.cell(row, column).text = text
    second.notes_slide.notes_text_frame.text = "Notiz dazu"
    buffer = io.BytesIO()
    presentation.save(buffer)
    return buffer.getvalue()


def xlsx(rows: Sequence[Sequence[object]] = ROWS) -> bytes:
    """A sheet, and a hidden one."""
    from xlsxwriter import Workbook

    buffer = io.BytesIO()
    workbook = Workbook(buffer)
    sheet = workbook.add_worksheet("Preise")
    hidden = workbook.add_worksheet("Verborgen")
    for number, row in enumerate(rows):
        sheet.write_row(number, 0, row)
    hidden.write_row(0, 0, ["geheim", 1.25])
    hidden.hide()
    workbook.close()
    return buffer.getvalue()


def csv() -> bytes:
    """A table in cp1252 with semicolons, as spreadsheets of Germany write it."""
    return "\r\n".join(";".join(row) for row in ROWS).encode("cp1252")


def html() -> bytes:
    """A page with all that is read and much that is not."""
    rows = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in ROWS)
    return f"""<!DOCTYPE html><html>
    <head><title>Preisblatt 2026</title><style>p {{ color: red }}</style></head><body>
    <h1>Preisblatt</h1><h2>Arbeits<b>preise</b></h2><p>{PROSE}</p>
    <script>böse()</script><p style="display:none">unsichtbar</p>
    <ul><li>Erster Punkt</li><li><p>Zweiter Punkt</p></li></ul><table>{rows}</table>
    <img src="http://example.org/x.png"></body></html>""".encode()


def markdown() -> bytes:
    """The same in Markdown."""
    rows = "\n".join(f"| {' | '.join(row)} |" for row in [ROWS[0], ["---"] * 3, *ROWS[1:]])
    return (
        f"---\ntitle: Preisblatt 2026\n---\n# Preisblatt\n\n## Arbeitspreise\n\n{PROSE}\n\n- "
        f"Erster Punkt\n- Zweiter Punkt\n\n{rows}\n"
    ).encode()


def plain() -> bytes:
    """Paragraphs and a list."""
    return f"Preisblatt\n\n{PROSE}\n\n- Erster Punkt\n- Zweiter Punkt\n".encode()


def mail(*attachments: tuple[str, bytes]) -> bytes:
    """A message with files attached."""
    message = EmailMessage()
    message["From"] = "Stadtwerke <info@example.org>"
    message["To"] = "kunde@example.org"
    message["Subject"] = "Ihre Preisänderung für 2026"
    message.set_content(f"Guten Tag,\n\n{PROSE}\n")
    message.add_alternative("<p>HTML</p>", subtype="html")
    for name, content in attachments:
        message.add_attachment(
            content, maintype="application", subtype="octet-stream", filename=name
        )
    return message.as_bytes()


def archive(*members: tuple[str, bytes]) -> bytes:
    """A ZIP file."""
    buffer = io.BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as container:
        for name, content in members:
            container.writestr(name, content)
    return buffer.getvalue()


def with_part(package: bytes, name: str, content: bytes) -> bytes:
    """An Office file with a part added or replaced."""
    with ZipFile(io.BytesIO(package)) as container:
        parts = {entry.filename: container.read(entry) for entry in container.infolist()}
    return archive(*(parts | {name: content}).items())


SAMPLES: dict[str, Callable[[], bytes]] = {
    "file.pdf": pdf,
    "file.docx": docx,
    "file.pptx": pptx,
    "file.xlsx": xlsx,
    "file.csv": csv,
    "file.html": html,
    "file.md": markdown,
    "file.txt": plain,
    "file.eml": lambda: mail(("anlage.txt", b"Anlage")),
    "file.zip": lambda: archive(("eins.txt", plain()), ("zwei.md", markdown())),
}
