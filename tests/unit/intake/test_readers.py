"""Files as they come: what is wrong with a row costs that row, what is wrong with the file is said, memory stays bounded."""

import gzip
import subprocess
import sys
import zipfile
from datetime import date, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from node.intake.readers.csv import CsvReader
from node.intake.readers.formats import format_of, open_reader
from node.intake.readers.jsonl import JsonLinesReader
from node.intake.readers.record import ReadOptions, Record, Unreadable, UnreadableFile
from node.intake.readers.xes import XesReader
from node.intake.readers.xlsx import XlsxReader

SMALL = ReadOptions(max_value=100)


def rows(reader: CsvReader | JsonLinesReader | XesReader | XlsxReader) -> list[tuple[int, object]]:
    """(row, cells) of records, (row, reason) of rows that could not be read."""
    return [
        (read.row, read.reason if isinstance(read, Unreadable) else list(read.cells))
        if not isinstance(read, Record) or not isinstance(read.cells, dict)
        else (read.row, read.cells)
        for read in reader
    ]


def csv_file(folder: Path, text: str | bytes) -> Path:
    path = folder / "log.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


class TestCsv:
    def test_rows_are_numbered_as_a_spreadsheet_shows_them(self, tmp_path: Path) -> None:
        reader = CsvReader(csv_file(tmp_path, 'a,b\n1,2\n\n"x\ny",4\n'), ReadOptions())
        assert reader.columns == ("a", "b")
        assert rows(reader) == [(2, ["1", "2"]), (4, ["x\ny", "4"])]

    def test_a_reader_can_be_read_again(self, tmp_path: Path) -> None:
        reader = CsvReader(csv_file(tmp_path, "a\n1\n"), ReadOptions())
        assert rows(reader) == rows(reader) == [(2, ["1"])]

    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    def test_the_delimiter_is_found_in_the_header(self, tmp_path: Path, delimiter: str) -> None:
        text = f"a{delimiter}b{delimiter}c\n1{delimiter}2{delimiter}3\n"
        assert rows(CsvReader(csv_file(tmp_path, text), ReadOptions())) == [(2, ["1", "2", "3"])]

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
    def test_the_encoding_is_found(self, tmp_path: Path, encoding: str) -> None:
        path = csv_file(tmp_path, "编号,事项\n1,不动产登记\n".encode(encoding))
        reader = CsvReader(path, ReadOptions())
        assert reader.columns == ("编号", "事项")
        assert rows(reader) == [(2, ["1", "不动产登记"])]

    def test_the_encoding_is_found_though_the_first_name_comes_after_megabytes(self, tmp_path: Path) -> None:
        path = csv_file(tmp_path, b"a\n" + (b"x" * 999_999 + b"\n") * 3 + "市场监管局\n".encode("gb18030"))
        assert [row.cells for row in CsvReader(path, ReadOptions()) if isinstance(row, Record)][-1] == [
            "市场监管局"
        ]

    def test_a_wrong_stated_encoding_refuses_the_file(self, tmp_path: Path) -> None:
        path = csv_file(tmp_path, "a,b\n1,不动产\n".encode("gb18030"))
        with pytest.raises(UnreadableFile, match=r"log\.csv: not utf-8.*encoding"):
            rows(CsvReader(path, ReadOptions(encoding="utf-8")))

    def test_bytes_that_are_no_text_refuse_the_file(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadableFile, match="neither UTF-8 nor GB 18030"):
            CsvReader(csv_file(tmp_path, b"a,b\n\xff\xff,\x81\n"), ReadOptions())

    def test_an_unknown_encoding_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadableFile, match="no encoding 'utf-9'"):
            CsvReader(csv_file(tmp_path, "a\n"), ReadOptions(encoding="utf-9"))

    def test_gzip_is_known_by_its_bytes(self, tmp_path: Path) -> None:
        assert rows(CsvReader(csv_file(tmp_path, gzip.compress(b"a\n1\n")), ReadOptions())) == [(2, ["1"])]

    def test_a_truncated_gzip_refuses_the_file(self, tmp_path: Path) -> None:
        whole = gzip.compress(b"a,b\n" + b"".join(b"%d,%d\n" % (n, n * n) for n in range(50_000)))
        path = csv_file(tmp_path, whole[: len(whole) // 2])
        with pytest.raises(UnreadableFile, match="truncated"):
            rows(CsvReader(path, ReadOptions(encoding="utf-8")))

    def test_a_damaged_gzip_refuses_the_file(self, tmp_path: Path) -> None:
        whole = bytearray(gzip.compress(b"a,b\n" + b"1,2\n" * 50_000))
        whole[40:60] = bytes(20)
        with pytest.raises(UnreadableFile, match="gzip"):
            rows(CsvReader(csv_file(tmp_path, bytes(whole)), ReadOptions(encoding="utf-8")))

    def test_too_many_or_too_few_cells_cost_the_row_alone(self, tmp_path: Path) -> None:
        reader = CsvReader(csv_file(tmp_path, "a,b\n1,2,3\n4\n5,6\n7,8,\n"), ReadOptions())
        assert rows(reader) == [
            (2, "3 cells where the header has 2"),
            (3, "1 cells where the header has 2"),
            (4, ["5", "6"]),
            (5, ["7", "8"]),
        ]

    def test_a_quote_that_never_closes_says_what_is_lost(self, tmp_path: Path) -> None:
        reader = CsvReader(csv_file(tmp_path, 'a,b\n1,2\n3,"oops\n5,6\n7,8\n'), ReadOptions())
        assert rows(reader) == [
            (2, ["1", "2"]),
            (3, "not CSV: a quote opens here and never closes, so the rest of the file is lost in it"),
        ]

    def test_short_rows_are_filled_where_the_mapping_says_so(self, tmp_path: Path) -> None:
        assert rows(CsvReader(csv_file(tmp_path, "a,b\n4\n"), ReadOptions(ragged=True))) == [(2, ["4", ""])]

    def test_a_line_longer_than_the_limit_costs_the_row_alone(self, tmp_path: Path) -> None:
        reader = CsvReader(csv_file(tmp_path, f"a,b\n1,2\n{'x' * 5000},2\n3,4\n"), SMALL)
        assert [row for row, _ in rows(reader)] == [2, 3, 4]
        assert [read.too_large for read in reader if isinstance(read, Unreadable)] == [True]

    def test_a_quote_that_never_closes_does_not_swallow_the_file(self, tmp_path: Path) -> None:
        text = 'a,b\n1,"2\n' + "3,4\n" * 200
        found = rows(CsvReader(csv_file(tmp_path, text), SMALL))
        assert "does not close" in str(found[0][1])
        assert found[-1][1] == ["3", "4"]
        assert len(found) > 150

    def test_text_after_a_closing_quote_costs_the_row_alone(self, tmp_path: Path) -> None:
        found = rows(CsvReader(csv_file(tmp_path, 'a,b\n"1"x,2\n3,4\n'), ReadOptions()))
        assert str(found[0][1]).startswith("not CSV")
        assert found[1] == (3, ["3", "4"])

    def test_two_columns_of_one_name_refuse_the_file(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadableFile, match="two columns are named 'a'"):
            CsvReader(csv_file(tmp_path, "a,a\n"), ReadOptions())

    @pytest.mark.parametrize("text", ["", "\n", ",,\n"])
    def test_a_file_without_a_header_is_refused(self, tmp_path: Path, text: str) -> None:
        with pytest.raises(UnreadableFile):
            CsvReader(csv_file(tmp_path, text), ReadOptions())

    def test_columns_can_be_named_by_the_mapping(self, tmp_path: Path) -> None:
        reader = CsvReader(csv_file(tmp_path, "1,2\n"), ReadOptions(header=0, columns=("x", "y")))
        assert reader.columns == ("x", "y")
        assert rows(reader) == [(1, ["1", "2"])]


PEAK = """
import resource, sys
from pathlib import Path
from node.intake.readers.formats import open_reader
from node.intake.readers.record import ReadOptions, Unreadable
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
read = list(open_reader(Path(sys.argv[1]), sys.argv[2], ReadOptions(encoding="utf-8" if sys.argv[2] != "xes" else "")))
assert any(isinstance(one, Unreadable) and one.too_large for one in read), read[:3]
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base)
"""


@pytest.mark.parametrize("format_", ["csv", "jsonl", "xes"])
def test_a_line_of_64_mib_costs_one_row_and_little_memory(tmp_path: Path, format_: str) -> None:
    start, end = {
        "csv": (b"a,b\n1,", b"\n3,4\n"),
        "jsonl": (b'{"a": 1}\n{"a": "', b'"}\n{"a": 2}\n'),
        "xes": (b'<log><trace><event><string key="a" value="', b'"/></event></trace></log>'),
    }[format_]
    path = tmp_path / f"long.{format_}"
    with path.open("wb") as file:
        file.write(start)
        for _ in range(64):
            file.write(b"x" * (1 << 20))
        file.write(end)
    run = subprocess.run(
        [sys.executable, "-c", PEAK, str(path), format_], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) < (32 << 10), "grew by more than 32 MiB"


class TestJsonLines:
    def test_what_is_no_object_costs_its_line(self, tmp_path: Path) -> None:
        path = tmp_path / "log.jsonl"
        path.write_text('{"a": 1}\n{"a": \n[1]\n\n{"a": {"b": {"c": 2}}, "d": []}\n')
        assert rows(JsonLinesReader(path, ReadOptions())) == [
            (1, {"a": 1}),
            (2, "not JSON"),
            (3, "not a JSON object"),
            (5, {"a.b.c": 2, "d": []}),
        ]

    def test_a_hostile_depth_costs_its_line(self, tmp_path: Path) -> None:
        path = tmp_path / "log.jsonl"
        path.write_text('{"a":' * 900 + "1" + "}" * 900 + "\n" + "[" * 100_000 + "\n" + '{"a": 1}\n')
        assert [row for row, _ in rows(JsonLinesReader(path, ReadOptions()))] == [1, 2, 3]


XES = '<?xml version="1.0"?>\n<log xmlns="http://www.xes-standard.org/">%s</log>'
TRACE = '<trace><string key="concept:name" value="c1"/>%s</trace>'
EVENT = '<event><string key="concept:name" value="%s"/></event>'


def xes_file(folder: Path, text: str) -> Path:
    path = folder / "log.xes"
    path.write_text(text, encoding="utf-8")
    return path


class TestXes:
    @pytest.mark.parametrize("log", [XES, "<log>%s</log>", '<x:log xmlns:x="urn:x">%s</x:log>'])
    def test_traces_and_events_are_numbered_together(self, tmp_path: Path, log: str) -> None:
        if "x:" in log:
            inner = (TRACE % (EVENT % "a")).replace("<", "<x:").replace("<x:/", "</x:")
        else:
            inner = TRACE % (EVENT % "a" + EVENT % "b") + TRACE % ""
        found = list(XesReader(xes_file(tmp_path, log % inner), ReadOptions()))
        assert [read.row for read in found] == list(range(1, len(found) + 1))
        first, second = found[0], found[1]
        assert isinstance(first, Record)
        assert isinstance(second, Record)
        assert first.opens_case
        assert first.case == {"concept:name": "c1"}
        assert (second.cells, second.case) == ({"concept:name": "a"}, {"concept:name": "c1"})

    def test_attributes_after_the_events_still_belong_to_the_trace(self, tmp_path: Path) -> None:
        text = XES % f'<trace>{EVENT % "a"}<date key="end" value="2024-01-01"/></trace>'
        event = list(XesReader(xes_file(tmp_path, text), ReadOptions()))[1]
        assert isinstance(event, Record)
        assert event.case == {"end": "2024-01-01"}

    def test_nested_attributes_lists_and_log_attributes_are_passed_over(self, tmp_path: Path) -> None:
        text = XES % (
            '<global scope="trace"><string key="g" value="x"/></global><string key="l" value="x"/>'
            '<trace><string key="a" value="1"><string key="inner" value="2"/></string>'
            '<list key="b"><values><string key="c" value="3"/></values></list></trace>'
        )
        reader = XesReader(xes_file(tmp_path, text), ReadOptions())
        (trace,) = reader
        assert isinstance(trace, Record)
        assert trace.case == {"a": "1"}
        assert reader.declared == {"g", "case:g"}

    def test_a_billion_laughs_are_not_laughed(self, tmp_path: Path) -> None:
        entities = "".join(
            f'<!ENTITY l{n} "{"&l" + str(n - 1) + ";" if n else "ha"}{("&l" + str(n - 1) + ";") * 9 if n else ""}">'
            for n in range(12)
        )
        text = f"<!DOCTYPE log [{entities}]><log><trace><string key='a' value='&l11;'/></trace></log>"
        with pytest.raises(UnreadableFile, match=r"document type|not well-formed"):
            list(XesReader(xes_file(tmp_path, text), ReadOptions()))

    def test_an_external_entity_is_not_fetched(self, tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.write_text("secret")
        text = f'<!DOCTYPE log [<!ENTITY x SYSTEM "file://{secret}">]><log><trace>&x;</trace></log>'
        with pytest.raises(UnreadableFile, match="document type"):
            list(XesReader(xes_file(tmp_path, text), ReadOptions()))

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("this is no XML", "not well-formed"),
            ("<html><body/></html>", "its root is <html>"),
            (XES[:-6] % TRACE, "not well-formed"),
            ("", "not well-formed"),
        ],
    )
    def test_what_is_no_event_log_is_refused(self, tmp_path: Path, text: str, said: str) -> None:
        with pytest.raises(UnreadableFile, match=said):
            list(XesReader(xes_file(tmp_path, text), ReadOptions()))

    @pytest.mark.parametrize("filler", ["x", "你", "&amp;", "a>b'c"])
    @pytest.mark.parametrize("extra", range(4))
    def test_a_value_far_over_the_limit_costs_its_event(
        self, tmp_path: Path, filler: str, extra: int
    ) -> None:
        long = "y" * extra + filler * (400_000 // len(filler.encode()))
        text = XES % (TRACE % (EVENT % "a" + EVENT % long + EVENT % "c"))
        found = list(XesReader(xes_file(tmp_path, text), ReadOptions(max_value=1024)))
        assert [type(read) for read in found] == [Record, Record, Unreadable, Record]

    def test_a_case_whose_attribute_is_too_long_is_unreadable_as_a_case(self, tmp_path: Path) -> None:
        text = XES % f'<trace><string key="concept:name" value="{"x" * 2000}"/>{EVENT % "a"}</trace>'
        trace, event = XesReader(xes_file(tmp_path, text), ReadOptions(max_value=1024))
        assert isinstance(trace, Unreadable)
        assert isinstance(event, Record)
        assert event.case == {}

    def test_a_long_trace_is_given_out_before_it_ends(self, tmp_path: Path) -> None:
        text = XES % (TRACE % "".join(EVENT % n for n in range(25_000)))
        assert len(list(XesReader(xes_file(tmp_path, text), ReadOptions()))) == 25_001


class TestXlsx:
    def book(self, folder: Path, *table: list[object], title: str = "表") -> Path:
        book = Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.title = title
        for row in table:
            sheet.append(row)
        path = folder / "log.xlsx"
        book.save(path)
        return path

    def test_cells_keep_their_types_and_days_stay_days(self, tmp_path: Path) -> None:
        path = self.book(tmp_path, ["a", "b", "c"], [1, date(2024, 3, 5), datetime(2024, 3, 5, 9)], [], ["x"])
        assert rows(XlsxReader(path, ReadOptions())) == [
            (2, [1, date(2024, 3, 5), datetime(2024, 3, 5, 9)]),
            (4, ["x", None, None]),
        ]

    def test_cells_beyond_the_header_cost_the_row(self, tmp_path: Path) -> None:
        path = self.book(tmp_path, ["a"], [1, 2])
        assert rows(XlsxReader(path, ReadOptions())) == [(2, "cells beyond the 1 columns of the header")]

    def test_an_absent_sheet_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadableFile, match=r"no sheet 'x'; there are 表"):
            XlsxReader(self.book(tmp_path, ["a"]), ReadOptions(sheet="x"))

    def test_what_is_no_workbook_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "log.xlsx"
        path.write_bytes(b"PK\x03\x04 but not really")
        with pytest.raises(UnreadableFile, match=r"not an \.xlsx workbook"):
            XlsxReader(path, ReadOptions())

    def test_a_workbook_with_a_document_type_is_refused(self, tmp_path: Path) -> None:
        path = self.book(tmp_path, ["a"], [1])
        with zipfile.ZipFile(path, "a") as book:
            book.writestr("xl/extra.xml", '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>')
        with pytest.raises(UnreadableFile, match="document type"):
            XlsxReader(path, ReadOptions())

    def test_a_cell_that_never_ends_refuses_the_workbook(self, tmp_path: Path) -> None:
        path = self.book(tmp_path, ["a"], [1])
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as book:
            book.writestr("xl/extra.xml", "<x>" + "y" * (20 << 20) + "</x>")
        with pytest.raises(UnreadableFile, match="a cell is longer"):
            XlsxReader(path, ReadOptions())


@pytest.mark.parametrize(
    ("name", "format_"),
    [
        ("a.xes", "xes"),
        ("a.xes.gz", "xes"),
        ("a.CSV", "csv"),
        ("a.b.csv.gz", "csv"),
        ("a.xlsx", "xlsx"),
        ("a.jsonl.gz", "jsonl"),
    ],
)
def test_the_format_is_told_by_the_name(name: str, format_: str) -> None:
    assert format_of(Path(name), None) == format_


def test_a_name_that_says_nothing_needs_a_mapping_that_does(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"which format\?"):
        format_of(Path("export.dat"), None)
    path = tmp_path / "export.dat"
    path.write_text("a\n1\n")
    assert list(open_reader(path, format_of(path, "csv"), ReadOptions()))


def test_a_file_that_is_not_there_is_an_error_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="No such file"):
        CsvReader(tmp_path / "absent.csv", ReadOptions())
