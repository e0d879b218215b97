"""The simulated DG645, byte by byte: through a real pseudo-terminal, and its pulses on a clock of our own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import serial
from hypothesis import given
from hypothesis import strategies as st

from rig.virtual.dg645 import DG645
from rig.virtual.dg645_pulses import PulseEngine
from rig.virtual.pty import SerialPort

SECOND = 1_000_000_000


class Bench:
    """A DG645 whose time only moves when the test says so."""

    def __init__(self) -> None:
        self.now = 1000 * SECOND
        self.edges: list[tuple[str, int, int]] = []
        self.engine = PulseEngine(lambda *edge: self.edges.append(edge), lambda: self.now)
        self.box = DG645(self.engine)

    def send(self, text: str) -> str:
        return self.box.feed(text.encode() + b"\n").decode()

    def wait(self, seconds: float, step: float = 1e-3) -> None:
        for _ in range(round(seconds / step)):
            self.now += round(step * SECOND)
            self.engine.pump()

    def rises(self, output: str) -> list[float]:
        return [(t - 1000 * SECOND) / SECOND for name, level, t in self.edges if name == output and level]

    def error(self) -> int:
        return int(self.send("LERR?"))


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def port(tmp_path: Path) -> Iterator[serial.Serial]:
    engine = PulseEngine(lambda *_: None)
    port = SerialPort(tmp_path / "dg645", DG645(engine))
    port.start()
    with serial.Serial(str(tmp_path / "dg645"), 9600, rtscts=True, timeout=2) as link:
        yield link
    port.close()
    assert not (tmp_path / "dg645").exists()


def test_pyserial_opens_it_like_the_real_box(port: serial.Serial) -> None:
    port.write(b"*IDN?\n")
    maker, model, number, version = port.readline().split(b",")
    assert (maker, model) == (b"Stanford Research Systems", b"DG645")
    assert number.startswith(b"s/n")
    assert version.startswith(b"ver")
    assert version.endswith(b"\r\n")


def test_set_commands_give_no_answer_and_there_is_no_echo(port: serial.Serial) -> None:
    port.write(b"DLAY 3,2,0.002\nBURC 7\nDLAY?3\n")
    assert port.readline() == b"2,+0.002000000000\r\n"
    port.timeout = 0.05
    assert port.read(10) == b""


def test_it_stays_alive_when_a_client_closes_the_port_and_another_opens_it(tmp_path: Path) -> None:
    port = SerialPort(tmp_path / "dg645", DG645(PulseEngine(lambda *_: None)))
    port.start()
    for _ in range(3):
        with serial.Serial(str(tmp_path / "dg645"), 9600, timeout=2) as link:
            link.write(b"BURC?\n")
            assert link.readline() == b"5\r\n"
    port.close()


SCRIPT = b"*CLS;TSRC 5\nDLAY 2,0,1e-3\r\nDLAY?2\nBURM?;BURC?\nXYZW\nLERR?\nLERR?\nDLAY 3,2,\nLERR?\nLAMP?1\n"


@given(st.lists(st.integers(0, len(SCRIPT)), max_size=12))
def test_input_may_be_split_anywhere(cuts: list[int]) -> None:
    whole = Bench().box.feed(SCRIPT)
    box = Bench().box
    marks = [0, *sorted(cuts), len(SCRIPT)]
    answer = b"".join(box.feed(SCRIPT[a:b]) for a, b in pairwise(marks))
    assert answer == whole == b"0,+0.001000000000\r\n0;5\r\n111\r\n0\r\n114\r\n+2.50\r\n"


@given(st.binary(max_size=300))
def test_no_bytes_break_it(noise: bytes) -> None:
    box = Bench().box
    box.feed(noise + b"\n")
    assert box.feed(b"*RST;*CLS;*IDN?\n").startswith(b"Stanford Research Systems,DG645,")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("BURC 0", 10),
        ("TSRC 7", 10),
        ("LAMP 1,9", 10),
        ("TRAT 1e9", 10),
        ("TSRC 0;*TRG", 11),
        ("DLAY 2,0,3000", 12),
        ("DLAY 2,0,-1", 12),
        ("DLAY 2,2,0", 13),
        ("DLAY 2,3,0;DLAY 3,2,0", 13),
        ("*RCL 4", 14),
        ("DLAY 0,0,1", 15),
        ("=5", 110),
        ("HELLO", 111),
        ("ABCD", 111),
        ("*TRG?", 112),
        ("*IDN", 113),
        ("LERR", 113),
        ("DLAY 2,,1", 114),
        ("BURC 1,2", 115),
        ("DLAY 2,0", 116),
        ("BURP abc", 118),
        ("BURC 1.5", 120),
        ("BURC 99999999999", 121),
        ("A" * 800, 171),
        ("BURC \xff", 126),
    ],
)
def test_every_mistake_has_its_error_code(bench: Bench, command: str, code: int) -> None:
    assert bench.box.feed(command.encode("latin-1") + b"\n") == b""
    assert bench.error() == code
    assert bench.error() == 0


def test_a_refused_value_leaves_the_old_one(bench: Bench) -> None:
    bench.send("DLAY 3,2,0.002")
    bench.send("DLAY 3,2,-0.5")
    assert bench.send("DLAY?3") == "2,+0.002000000000\r\n"


def test_the_error_queue_keeps_the_first_and_ends_with_too_many(bench: Bench) -> None:
    bench.send("BURC 0")
    for _ in range(40):
        bench.send("NOPE")
    codes = []
    while code := bench.error():
        codes.append(code)
    assert codes[0] == 10
    assert codes[-1] == 254
    assert len(codes) == 20


def test_status_registers_tell_of_errors_and_clear_by_reading(bench: Bench) -> None:
    assert bench.send("*ESR?") == "128\r\n"  # power on
    bench.send("NOPE;BURC 0")
    bench.send("BURC 0")
    assert bench.send("*ESR?") == "48\r\n"  # command and execution error
    assert bench.send("*ESR?") == "0\r\n"


@pytest.mark.parametrize(
    ("set_it", "ask", "answer"),
    [
        ("TSRC 3", "TSRC?", "3"),
        ("TRAT 12.5", "TRAT?", "+12.500000"),
        ("TLVL 1.25", "TLVL?", "+1.25"),
        ("BURM 1", "BURM?", "1"),
        ("BURC 4294967295", "BURC?", "4294967295"),
        ("BURP 0.2", "BURP?", "+0.200000000000"),
        ("BURD 1e-6", "BURD?", "+0.000001000000"),
        ("BURT 1", "BURT?", "1"),
        ("INHB 1", "INHB?", "1"),
        ("HOLD 0.5", "HOLD?", "+0.500000000000"),
        ("lamp 2,5.0", "lamp?2", "+5.00"),
        ("LOFF 2,-0.5", "LOFF?2", "-0.50"),
        ("LPOL 1,0", "LPOL?1", "0"),
        ("DLAY 9,8,12.3456789", "DLAY? 9", "8,+12.345678900000"),
    ],
)
def test_values_read_back_in_the_instruments_format_and_reset_with_rst(
    bench: Bench, set_it: str, ask: str, answer: str
) -> None:
    default = bench.send(ask)
    bench.send(set_it)
    assert bench.send(ask) == answer + "\r\n"
    assert bench.error() == 0
    bench.send("*SAV 3")
    bench.send("*RST")
    assert bench.send(ask) == default
    bench.send("*RCL 3")
    assert bench.send(ask) == answer + "\r\n"


def arm(bench: Bench, count: int, period: float = 0.1) -> None:
    for line in (
        "TSRC 5",
        "LAMP 1,5",
        "LAMP 2,5",
        "DLAY 2,0,0",
        "DLAY 3,2,0.002",
        "DLAY 4,0,0.001",
        "DLAY 5,4,0.0005",
    ):
        bench.send(line)
    bench.send(f"BURM 1;BURC {count};BURP {period};BURD 0")
    bench.send("*CLS")


def test_a_burst_gives_n_pulses_at_the_period_and_says_when_it_is_done(bench: Bench) -> None:
    arm(bench, 5)
    bench.send("*TRG")
    assert int(bench.send("*STB?")) & 2
    bench.wait(0.35)
    assert int(bench.send("*STB?")) & 2
    assert int(bench.send("INSR?")) & 8 == 0
    bench.wait(0.1)
    assert bench.rises("AB") == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4], abs=1e-9)
    assert bench.rises("CD") == pytest.approx([0.001, 0.101, 0.201, 0.301, 0.401], abs=1e-9)
    assert int(bench.send("*STB?")) & 2 == 0
    assert int(bench.send("INSR?")) == 4 | 8
    assert bench.send("INSR?") == "0\r\n"
    widths = [p.fall_ns - p.rise_ns for p in bench.engine.recent() if p.output == "CD"]
    assert widths == [500_000] * 5


def test_a_trigger_during_a_burst_is_lost_and_noted_as_a_rate_error(bench: Bench) -> None:
    arm(bench, 2)
    bench.send("*TRG")
    bench.send("*TRG")
    bench.wait(0.5)
    assert len(bench.rises("AB")) == 2
    assert int(bench.send("INSR?")) & 2


def test_a_burst_faster_than_its_delays_loses_cycles_as_the_real_one(bench: Bench) -> None:
    arm(bench, 4, period=0.0015)
    bench.send("*TRG")
    bench.wait(0.05)
    assert len(bench.rises("AB")) == 2
    assert int(bench.send("INSR?")) & 2


def test_burst_mode_off_ends_a_burst(bench: Bench) -> None:
    arm(bench, 50)
    bench.send("*TRG")
    bench.wait(0.25)
    bench.send("BURM 0")
    bench.wait(1.0)
    assert len(bench.rises("AB")) == 3
    assert int(bench.send("INSR?")) & 32


def test_a_channel_without_width_or_volts_gives_no_edge(bench: Bench) -> None:
    arm(bench, 1)
    bench.send("LAMP 2,0.5")
    bench.send("*TRG")
    bench.wait(0.1)
    assert {name for name, _, _ in bench.edges} == {"AB"}


def test_inverted_polarity_swaps_the_edges(bench: Bench) -> None:
    arm(bench, 1)
    bench.send("LPOL 1,0")
    bench.send("*TRG")
    bench.wait(0.1)
    assert [level for name, level, _ in bench.edges if name == "AB"] == [1, 0, 1]


def test_the_internal_rate_runs_until_the_source_is_changed(bench: Bench) -> None:
    arm(bench, 1)
    bench.send("BURM 0;TRAT 20;TSRC 0")
    bench.wait(0.51)
    bench.send("TSRC 5")
    bench.wait(0.5)
    assert bench.rises("AB") == pytest.approx([k * 0.05 for k in range(11)], abs=1e-6)
