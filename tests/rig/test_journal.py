"""The journal: what is written stays readable, whatever is torn off its end."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.errors import SessionError
from rig.journal import Journal

events = st.fixed_dictionaries(
    {"event": st.sampled_from(["shot", "take"]), "note": st.text(max_size=30), "index": st.integers()}
)


def bodies(journal: Journal) -> list[dict[str, Any]]:
    return [{k: v for k, v in event.items() if k != "time"} for event in journal.events()[1:]]


@settings(max_examples=50, deadline=None)
@given(st.lists(events, max_size=6), st.integers(1, 400))
def test_cutting_the_file_anywhere_loses_only_the_torn_line_and_says_so(
    written: list[dict[str, Any]], cut: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.jsonl"
        with Journal.create(path) as journal:
            first = path.stat().st_size
            journal.append(*written)
        content = path.read_bytes()
        kept = content[: max(first, len(content) - cut)]
        path.write_bytes(kept)
        whole = kept.count(b"\n") - 1
        with Journal(path) as journal:
            assert bodies(journal) == written[:whole]
            assert len(journal.problems) == (0 if kept.endswith(b"\n") else 1)


def test_the_line_after_a_torn_one_is_readable_and_the_torn_one_stays_reported(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal.create(path) as journal:
        journal.append({"event": "shot", "index": 0})
    path.write_bytes(path.read_bytes() + b'{"event":"shot","ind')
    with Journal(path) as journal:
        assert journal.problems == ['line 3 is torn: {"event":"shot","ind']
        journal.append({"event": "shot", "index": 1})
        assert [event["index"] for event in bodies(journal)] == [0, 1]
    with Journal(path) as again:
        assert again.problems == ['line 3 is damaged: {"event":"shot","ind']


def test_two_open_journals_of_one_file_see_each_other(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal.create(path) as one, Journal(path) as other:
        one.append({"event": "take", "index": 1})
        other.append({"event": "take", "index": 2})
        assert bodies(one) == bodies(other) == [{"event": "take", "index": 1}, {"event": "take", "index": 2}]


def test_threads_that_reserve_numbers_get_different_ones(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    Journal.create(path).close()

    def reserve() -> None:
        with Journal(path) as journal:
            for _ in range(5):
                with journal.exclusive():
                    journal.append({"event": "take", "index": len(journal.events())})

    threads = [threading.Thread(target=reserve) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Journal(path) as journal:
        assert [event["index"] for event in bodies(journal)] == list(range(1, 21))


def test_every_line_carries_its_time(tmp_path: Path) -> None:
    with Journal.create(tmp_path / "j") as journal:
        journal.append({"event": "take"})
    assert all("time" in json.loads(line) for line in (tmp_path / "j").read_text().splitlines())


def numbers(path: Path) -> list[int | None]:
    return [json.loads(line).get("seq") for line in path.read_text().splitlines()]


def written(path: Path, count: int = 5) -> list[str]:
    with Journal.create(path) as journal:
        for index in range(count):
            journal.append({"event": "take", "index": index})
    return path.read_text().splitlines(keepends=True)


def test_lines_are_numbered_through_also_over_programs_and_torn_ends(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with Journal.create(path) as one, Journal(path) as other:
        one.append({"event": "take"}, {"event": "take"})
        other.append({"event": "take"})
        one.append({"event": "take"})
    path.write_bytes(path.read_bytes() + b'{"event":"shot","seq":5')
    with Journal(path) as again:
        again.append({"event": "take"})
        assert [problem for problem in again.problems if "torn" not in problem] == []
    complete = [line for line in path.read_text().splitlines() if line.endswith("}")]
    assert [json.loads(line)["seq"] for line in complete] == [0, 1, 2, 3, 4, 5]


def test_a_line_that_was_taken_out_or_copied_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "j"
    lines = written(path)
    path.write_text("".join([*lines[:2], *lines[4:]]))
    with Journal(path) as journal:
        assert journal.problems == ["line 3: 2 lines before it are missing"]
    path.write_text("".join([*lines[:3], lines[1], *lines[3:]]))
    with Journal(path) as journal:
        assert journal.problems[0] == "line 4 repeats number 1: it was copied or edited"


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_no_whole_line_can_be_changed_lost_moved_or_doubled_within_the_journal_unnoticed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("j") / "j"
    lines = written(path, 6)
    order = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=7))
    whole = [0, *order, 6]
    path.write_text("".join(lines[number] for number in whole))
    with Journal(path) as journal:
        assert bool(journal.problems) == (whole != list(range(7)))


def test_a_journal_from_before_the_numbers_is_read_and_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "j"
    old = [{"time": "2025-01-01", "event": "journal", "schema": 1}, {"time": "2025-01-02", "event": "take"}]
    path.write_text("".join(json.dumps(line) + "\n" for line in old))
    with Journal(path) as journal:
        journal.append({"event": "take"})
        assert len(journal.events()) == 3
        assert journal.problems == []
    assert numbers(path) == [None, None, 0]
    with Journal(path) as journal:
        journal.append({"event": "take"})
    assert numbers(path)[-1] == 1


def test_a_clock_that_is_set_back_changes_neither_order_nor_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Journal.create(tmp_path / "j") as journal:
        journal.append({"event": "take", "index": 0})
        monkeypatch.setattr("rig.journal._now", lambda: datetime(1999, 1, 1, tzinfo=UTC))
        journal.append({"event": "take", "index": 1})
    with Journal(tmp_path / "j") as again:
        assert [event.get("index") for event in again.events()] == [None, 0, 1]
        assert again.events()[2]["time"].startswith("1999")
        assert again.problems == []


def test_a_long_journal_is_read_and_written_on_without_reading_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "j"
    Journal.create(path).close()
    with Journal(path) as journal:
        journal.append(*({"event": "take", "note": "x" * 500} for _ in range(2000)))
        assert len(journal.events()) == 2001
        read = 0
        real = os.pread

        def counted(descriptor: int, count: int, offset: int) -> bytes:
            nonlocal read
            found = real(descriptor, count, offset)
            read += len(found)
            return found

        monkeypatch.setattr(os, "pread", counted)
        for index in range(100):
            journal.append({"event": "take", "index": index})
            assert len(journal.since(2001)) == index + 1
        assert read < 100 * 200


def test_a_torn_line_is_put_aside_and_a_line_that_lacks_its_end_only_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "j"
    lines = written(path, 3)
    path.write_text("".join(lines)[:-20])
    with Journal(path) as journal:
        aside = journal.quarantine(tmp_path)
        assert aside is not None
        assert aside.read_text() == lines[-1][:-20]
        assert path.read_text() == "".join(lines[:-1])
        assert journal.problems == []
        assert journal.quarantine(tmp_path) is None
    path.write_text("".join(lines)[:-1])
    with Journal(path) as journal:
        assert journal.quarantine(tmp_path) is None
        assert path.read_text() == "".join(lines)
        assert journal.problems == []


def test_a_journal_is_not_started_twice(tmp_path: Path) -> None:
    Journal.create(tmp_path / "j").close()
    with pytest.raises(SessionError, match="cannot be made"):
        Journal.create(tmp_path / "j")


@pytest.mark.parametrize("content", [b"", b"hello\n", b'{"event":"journal","schema":99}\n', b"[1]\n"])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "j").write_bytes(content)
    with pytest.raises(SessionError):
        Journal(tmp_path / "j")


def test_an_event_that_is_no_json_leaves_the_journal_as_it_was(tmp_path: Path) -> None:
    with Journal.create(tmp_path / "j") as journal:
        before = (tmp_path / "j").read_bytes()
        with pytest.raises(SessionError, match="no JSON"):
            journal.append({"event": "take"}, {"event": "take", "bad": object()})
        assert (tmp_path / "j").read_bytes() == before


def test_a_closed_journal_says_so(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "j")
    journal.close()
    with pytest.raises(SessionError, match="is closed"):
        journal.append({"event": "take"})
