"""Ten thousand rows of 34 columns, as Microsoft 365 exports them: how long, and how much memory.

    python benchmarks/reading.py [--rows 10000]

Reads a growing file, as CSV and as a workbook, and prints for each the seconds of computing, the
most memory that was taken while it was read, and the steps (calls of functions) that it took, which
do not depend on the machine. Then the same for a megabyte of text of the worst kinds, against a
megabyte of addresses. Workbooks need the extra ``xlsx``.
"""

from __future__ import annotations

import argparse
import io
import platform
import sys
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

import django
from django.conf import settings

HEADINGS = [
    "Block credential",
    "City",
    "Country/Region",
    "Department",
    "DirSyncEnabled",
    "Display name",
    "Fax",
    "First name",
    "Last dirsync time",
    "Last name",
    "Last password change time stamp",
    "License assignment details",
    "Licenses",
    "Mobile Phone",
    "Oath token metadata",
    "Object Id",
    "Office",
    "Password never expires",
    "Phone number",
    "Postal code",
    "Preferred data location",
    "Preferred language",
    "Proxy addresses",
    "Release track",
    "Soft deletion time stamp",
    "State",
    "Street address",
    "Strong password required",
    "Title",
    "Usage location",
    "User principal name",
    "When created",
    "Alternate email addresses",
    "Notes",
]
WORST = (
    *("a@a,", "a@ ", "a ", '"', '" \\,', "( ", "<a@b> ", "\t"),
    *("email,", "dn: a\n", "BEGIN:VCARD\n"),
)


def rows(count: int) -> list[list[str]]:
    """The heading, and so many people."""
    found = [HEADINGS]
    for number in range(count):
        values = dict.fromkeys(HEADINGS, "")
        values |= {
            "Block credential": "False",
            "City": "Oslo",
            "Department": "Sales, North",
            "Display name": f"Ana Doe {number}",
            "First name": "Ana",
            "Last name": f"Doe {number}",
            "Licenses": "Microsoft 365 Business Standard+Power BI",
            "Object Id": f"00000000-0000-0000-0000-{number:012}",
            "Proxy addresses": f"SMTP:ana{number}@example.org+smtp:a{number}@old.example",
            "Title": "Engineer",
            "User principal name": f"ana{number}@example.org",
            "When created": "2024-03-01 08:00:00Z",
        }
        found.append(list(values.values()))
    return found


def as_csv(table: list[list[str]]) -> bytes:
    """A table as the admin centre writes it."""
    return "\r\n".join(",".join(f'"{cell}"' for cell in row) for row in table).encode("utf-8-sig")


def as_workbook(table: list[list[str]]) -> bytes:
    """The same as a workbook, its texts within the cells."""
    sheet = "".join(
        "<row>"
        + "".join(f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>' for cell in row)
        + "</row>"
        for row in table
    )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    types = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": (
            f'<Types xmlns="{package}/content-types"><Default Extension="rels" ContentType='
            '"application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{types}.sheet.main+xml"/>'
            f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{types}.worksheet+xml"/>'
            "</Types>"
        ),
        "_rels/.rels": (
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
            f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
        ),
        "xl/workbook.xml": (
            f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
            '<sheet name="Users" sheetId="1" r:id="r1"/></sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": (
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
            f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
        ),
        "xl/worksheets/sheet1.xml": (
            f'<worksheet xmlns="{main}"><sheetData>{sheet}</sheetData></worksheet>'
        ),
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return packed.getvalue()


def measure(run: Callable[[], Any]) -> tuple[float, float, int]:
    """Return the seconds of computing, the most memory (MB), and the calls of functions."""
    began = time.process_time()
    run()
    seconds = time.process_time() - began
    tracemalloc.start()
    run()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    calls = 0

    def count(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    run()
    sys.setprofile(None)
    return seconds, most / 1e6, calls


def main() -> None:
    """Measure, and print."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rows", type=int, default=10_000)
    most = arguments.parse_args().rows
    settings.configure(USE_I18N=True)
    django.setup()
    from org_invitations.addresses import TooManyRows, read_file, read_text

    print(f"Python {platform.python_version()}, {platform.machine()}, {len(HEADINGS)} columns")
    print(f"{'rows':>7} {'file':>9} {'MB':>6} {'seconds':>8} {'peak MB':>8} {'steps/row':>9}")
    writers = {"CSV": as_csv, "workbook": as_workbook}
    for count in (most // 8, most // 4, most // 2, most):
        table = rows(count)
        for name, write in writers.items():
            content = write(table)
            size = len(content) / 1e6
            if size > 5:
                print(f"{count:>7} {name:>9} {size:>6.2f} more than a file may have")
                continue

            def read(content: bytes = content, count: int = count) -> None:
                found = read_file(content)
                assert [e.email_address for e in found.entries[:1]] == ["ana0@example.org"]
                assert len(found.entries) == count

            seconds, peak, steps = measure(read)
            figures = f"{seconds:>8.2f} {peak:>8.1f} {steps / count:>9.1f}"
            print(f"{count:>7} {name:>9} {size:>6.2f} {figures}")

    print("\na megabyte of      seconds    steps")

    def try_to_read(text: str) -> None:
        try:
            read_text(text)
        except TooManyRows:
            return

    line = "ana.doe{:05}@department.example.org"
    people = "".join(f"{line.format(number):>99}\n" for number in range(10_000))
    texts = {repr(part): (part * 1_000_000)[:1_000_000] for part in WORST}
    for name, text in {"addresses": people, **texts}.items():
        seconds, _, steps = measure(lambda text=text: try_to_read(text))  # type: ignore[misc]
        print(f"{name:<16} {seconds:>9.2f} {steps:>8}")


if __name__ == "__main__":
    main()
