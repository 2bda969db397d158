"""Files that are made to hurt whoever reads them."""

import base64
import io
import zlib
from collections.abc import Iterable
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from tests.support.documents import sample_files

LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha">'
    + "".join(
        f'<!ENTITY {new} "{f"&{old};" * 10}">'
        for old, new in zip("abcdefghi", "bcdefghij", strict=True)
    )
    + "]>"
)


def pdf_of(objects: Iterable[bytes]) -> bytes:
    """A PDF of objects that are numbered from 1, the first its catalogue."""
    body = b"%PDF-1.7\n"
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    tail = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(offsets) + 1,
        len(body),
    )
    return body + b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(offsets) + 1, table) + tail


def many_pages(count: int) -> bytes:
    """A PDF of empty pages."""
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] >>"
    kids = b" ".join(b"%d 0 R" % number for number in range(3, 3 + count))
    return pdf_of(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Count %d /Kids [%s] >>" % (count, kids),
            *[page] * count,
        ]
    )


def flate_bomb(unpacked: int, *, layers: int) -> bytes:
    """A page whose content is packed several times over: kilobytes that become gigabytes."""
    packer = zlib.compressobj(9)
    content = (
        b"".join(packer.compress(b" " * 1_000_000) for _ in range(unpacked // 1_000_000))
        + packer.flush()
    )
    for _ in range(layers - 1):
        content = zlib.compress(content, 9)
    stream = b"<< /Length %d /Filter [%s] >>\nstream\n%s\nendstream" % (
        len(content),
        b"/FlateDecode " * layers,
        content,
    )
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] /Contents 4 0 R >>"
    return pdf_of(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
            page,
            stream,
        ]
    )


def endless_pages() -> bytes:
    """A tree of pages that holds itself."""
    return pdf_of(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Count 5 /Kids [2 0 R 2 0 R 2 0 R 2 0 R 2 0 R] /Parent 2 0 R >>",
        ]
    )


def zip_bomb(unpacked: int) -> bytes:
    """An archive that unpacks to so many bytes, as it says itself."""
    buffer = io.BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as container, container.open("a.txt", "w") as member:
        for _ in range(unpacked // 1_000_000):
            member.write(b"0" * 1_000_000)
    return buffer.getvalue()


def lying_zip_bomb(unpacked: int) -> bytes:
    """The same, which says that it is of ten bytes."""
    real, told = (size.to_bytes(4, "little") for size in (unpacked, 10))
    return zip_bomb(unpacked).replace(real, told)


def link_archive() -> bytes:
    """An archive with a symbolic link to a file outside."""
    entry = ZipInfo("link.txt")
    entry.external_attr = 0o120777 << 16
    buffer = io.BytesIO()
    with ZipFile(buffer, "w") as container:
        container.writestr(entry, "/etc/passwd")
    return buffer.getvalue()


def encrypted_archive() -> bytes:
    """An archive whose entries say that they are encrypted."""
    content = bytearray(sample_files.archive(("a.txt", b"a" * 100)))
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + place] |= 1
    return bytes(content)


def encrypted_office() -> bytes:
    """What an Office file with a password begins with: the older container with a stream of this
    name.
    """
    return (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + bytes(600)
        + "EncryptedPackage".encode("utf-16-le")
        + bytes(600)
    )


def laughing(package: bytes, part: str, charset: str = "utf-8") -> bytes:
    """An Office file one of whose parts expands to a billion words."""
    return sample_files.with_part(
        package,
        part,
        f'<?xml version="1.0" encoding="{charset}"?>{LAUGHS}<x>&j;</x>'.encode(charset),
    )


def far_cell() -> bytes:
    """A workbook with a cell in the first and one in the last corner: 17 billion between them."""
    from xlsxwriter import Workbook

    buffer = io.BytesIO()
    workbook = Workbook(buffer)
    sheet = workbook.add_worksheet()
    sheet.write(0, 0, "eins")
    sheet.write(1_048_575, 16_383, "zwei")
    workbook.close()
    return buffer.getvalue()


def long_pages(count: int, *, words: int) -> bytes:
    """A PDF whose pages share one long content."""
    lines = b"".join(b"(%s) Tj 0 -1 Td\n" % (b"wort " * 20) for _ in range(words // 20))
    content = b"BT /F1 1 Tf 10 800 Td\n" + lines + b"ET"
    page = (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 850] /Contents 3 0 R /Resources << "
        b"/Font << /F1 4 0 R >> >> >>"
    )
    kids = b" ".join(b"%d 0 R" % number for number in range(5, 5 + count))
    return pdf_of(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Count %d /Kids [%s] >>" % (count, kids),
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            *[page] * count,
        ]
    )


def mail(content: bytes, *headers: bytes) -> bytes:
    """An e-mail with this content, which begins with its own headers or an empty line."""
    lines = [
        b"From: anna@example.org",
        b"To: uwe@example.org",
        b"Subject: Angebot",
        b"MIME-Version: 1.0",
        *headers,
    ]
    return b"\n".join(lines) + b"\n" + content


def attached(count: int, content: bytes) -> bytes:
    """An e-mail with so many attachments of one content."""
    part = (
        b"--x\nContent-Type: application/octet-stream\nContent-Disposition: attachment; "
        b"filename=a.bin\n"
        b"Content-Transfer-Encoding: base64\n\n%s\n" % base64.b64encode(content)
    )
    return mail(
        b"Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain\n\nhallo\n"
        + part * count
        + b"--x--\n"
    )


def parts_in_parts(depth: int) -> bytes:
    """An e-mail whose parts stand in each other."""
    begin = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (level, level)
        for level in range(depth)
    )
    end = b"".join(b"--b%d--\n" % level for level in reversed(range(depth)))
    return mail(begin + b"Content-Type: text/plain\n\ntief\n" + end)


def messages_in_messages(depth: int) -> bytes:
    """E-mails that are handed on over and over."""
    return mail(
        b"Content-Type: message/rfc822\n\nFrom: a@example.org\nTo: b@example.org\n" * depth
        + b"\ntief\n"
    )


def tables_in_tables(depth: int) -> bytes:
    """A DOCX whose tables stand in each other."""
    namespace = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    begin = "<w:tbl><w:tr><w:tc>" * depth
    end = "</w:tc></w:tr></w:tbl>" * depth
    text = (
        "<w:document "
        f"{namespace}><w:body>{begin}<w:p><w:r><w:t>tief</w:t></w:r></w:p>{end}</w:body></"
        "w:document>"
    )
    return sample_files.with_part(sample_files.docx(), "word/document.xml", text.encode())


def with_sheet(rows: str) -> bytes:
    """A workbook whose first sheet holds these rows as they are."""
    namespace = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    return sample_files.with_part(
        sample_files.xlsx(),
        "xl/worksheets/sheet1.xml",
        f"<worksheet {namespace}><sheetData>{rows}".encode(),
    )


def form_in_itself() -> bytes:
    """A PDF whose page draws a form that draws itself, twice."""
    resources = b"/Resources << /XObject << /F 5 0 R >> >>"
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] /Contents 4 0 R %s >>" % resources
    form = (
        b"<< /Type /XObject /Subtype /Form /BBox [0 0 1 1] %s /Length 11 >>\nstream\n/F Do "
        b"/F Do\nendstream"
    ) % resources
    pages = b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>"
    return pdf_of(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            pages,
            page,
            b"<< /Length 5 >>\nstream\n/F Do\nendstream",
            form,
        ]
    )


def one_content_often(count: int) -> bytes:
    """A PDF whose page is made of one content over and over."""
    content = b"BT /F 1 Tf (wort wort wort) Tj ET " * 100
    stream = b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents [%s] >>" % (
        b"4 0 R " * count
    )
    return pdf_of(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
            page,
            stream,
        ]
    )
