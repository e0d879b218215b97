"""The journal: what is written stays readable, whatever is torn off its end."""

from __future__ import annotations

import json
import tempfile
import threading
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
