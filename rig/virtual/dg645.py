"""A byte-faithful SRS DG645 digital delay generator: bytes in, bytes out, pulses on its outputs.

After the vendor's command list as drivers use it (EPICS delaygen, InstrumentKit). Where no source shows an
exact answer it follows the vendor's general forms. The rear INHIBIT input is not connected: INHB only sets
what it would do.
"""

from __future__ import annotations

import threading

from rig.virtual import dg645_settings as box
from rig.virtual.dg645_commands import COMMANDS
from rig.virtual.dg645_pulses import PulseEngine
from rig.virtual.dg645_settings import BoxError, Settings

IDENTITY = "Stanford Research Systems,DG645,s/n004711,ver1.16.116"
LONGEST_LINE = 768
MOST_ERRORS = 20

STB_INSB, STB_BUSY, STB_ESB, STB_MSS = 1, 2, 32, 64
ESR_EXECUTION, ESR_COMMAND, ESR_POWER_ON = 16, 32, 128


class DG645:
    """The instrument behind its serial port. Thread-safe.

    Args:
        engine: Makes the pulses; shares the settings.
    """

    LINE_END = b"\r\n"

    def __init__(self, engine: PulseEngine) -> None:
        self.engine = engine
        self.settings: Settings = Settings()
        self.memories: dict[int, Settings] = {}
        self.masks = {"*ESE": 0, "*SRE": 0, "INSE": 0, "*PSC": 1}
        self.event_status = ESR_POWER_ON
        self.errors: list[int] = []
        self._line = bytearray()
        self._overlong = False
        self._lock = threading.RLock()
        engine.configure(self.settings)

    def feed(self, data: bytes) -> bytes:
        """Take bytes as they come from the line and return what the instrument answers."""
        answers = bytearray()
        with self._lock:
            for byte in data:
                if byte in self.LINE_END:
                    answers += self._end_of_line()
                elif len(self._line) < LONGEST_LINE:
                    self._line.append(byte)
                else:
                    self._overlong = True
        return bytes(answers)

    def lost_answer(self) -> None:
        """Note that an answer could not be sent because nobody reads."""
        with self._lock:
            self._fail(box.LOST_DATA)

    def refuse(self, line: bytes, code: int) -> bytes:
        """Do not obey, and keep an error for `LERR?`."""
        with self._lock:
            self._fail(code)
        return b""

    def _end_of_line(self) -> bytes:
        line, overlong = bytes(self._line), self._overlong
        self._line.clear()
        self._overlong = False
        if overlong:
            self._fail(box.OVER_RUN)
            return b""
        try:
            text = line.decode("ascii")
        except UnicodeDecodeError:
            self._fail(box.SYNTAX_ERROR)
            return b""
        answers = []
        for command in text.split(";"):
            if command.strip():
                try:
                    answer = self._execute(command.strip())
                except BoxError as error:
                    self._fail(error.code)
                    break  # the rest of the line is dropped
                if answer is not None:
                    answers.append(answer)
        return (";".join(answers) + "\r\n").encode("ascii") if answers else b""

    def _execute(self, text: str) -> str | None:
        end = 1 if text.startswith("*") else 0
        while end < len(text) and text[end].isalpha():
            end += 1
        name, rest = text[:end].upper(), text[end:].lstrip()
        if len(name) != 4 and not (name.startswith("*") and len(name) == 4):
            raise BoxError(box.ILLEGAL_COMMAND if not name else box.UNDEFINED_COMMAND)
        if name not in COMMANDS:
            raise BoxError(box.UNDEFINED_COMMAND)
        is_query = rest.startswith("?")
        rest = rest[1:].strip() if is_query else rest.strip()
        parameters = [part.strip() for part in rest.split(",")] if rest else []
        command = COMMANDS[name]
        action, count = (
            (command.query, command.query_parameters) if is_query else (command.set, command.set_parameters)
        )
        if action is None:
            raise BoxError(box.ILLEGAL_QUERY if is_query else box.ILLEGAL_SET)
        if len(parameters) > count:
            raise BoxError(box.EXTRA_PARAMETERS)
        if len(parameters) < count:
            raise BoxError(box.MISSING_PARAMETERS)
        return action(self, parameters)

    def _fail(self, code: int) -> None:
        self.event_status |= ESR_COMMAND if code >= box.ILLEGAL_COMMAND else ESR_EXECUTION
        if len(self.errors) < MOST_ERRORS - 1:
            self.errors.append(code)
        elif len(self.errors) < MOST_ERRORS:
            self.errors.append(box.TOO_MANY_ERRORS)

    def changed(self, *, aborts: bool = False) -> None:
        """Hand changed settings to the pulse engine; ``aborts`` ends a burst that is running."""
        self.engine.configure(self.settings, abort=aborts)

    def status_byte(self) -> int:
        """Return *STB?: instrument and event summaries, busy, master summary."""
        status = STB_BUSY if self.engine.busy() else 0
        if self.engine.events & self.masks["INSE"]:
            status |= STB_INSB
        if self.event_status & self.masks["*ESE"]:
            status |= STB_ESB
        return status | (STB_MSS if status & self.masks["*SRE"] else 0)

    def reset(self) -> None:
        """Do *RST: default settings, pulses off; errors and status stay."""
        self.settings = Settings()
        self.changed(aborts=True)

    def clear(self) -> None:
        """Do *CLS: clear errors and event registers."""
        self.errors.clear()
        self.event_status = 0
        self.engine.take_events()
