"""The serial line to a trigger box: one command or one answer at a time, errors with a cause."""

from __future__ import annotations

import logging
import threading
import time

import serial

from rig.errors import ProtocolError, TriggerError
from rig.profiles import SerialSettings

_LOG = logging.getLogger(__name__)

MAX_ANSWER_BYTES = 256
"""No box has a longer answer; more without an end of line is noise."""

_RETRY_S = 0.1
_LONGEST_TALK = 5
"""Time-outs of an answer that a line may take to fall silent."""


class BoxLost(TriggerError):
    """The serial port of the box is gone: unplugged, or its process ended."""


class SerialLink:
    """A line-based serial connection (8N1), usable from several threads.

    Args:
        port: Serial port such as /dev/ttyUSB0, or a pseudo-terminal.
        baudrate: Bits per second.
        rtscts: Use the RTS/CTS handshake.
        timeout_s: Longest wait for an answer, and for the box to take a command, in s.
        settle_s: Wait after opening, in s.
        terminators: What ends a command, and what ends an answer.
        dtr: Raise DTR while the port is open.

    Attributes:
        lost: Whether the port has gone.

    Raises:
        TriggerError: The port cannot be opened.
    """

    def __init__(
        self,
        port: str,
        baudrate: int = 9600,
        rtscts: bool = False,
        timeout_s: float = 1.0,
        settle_s: float = 0.0,
        terminators: tuple[bytes, bytes] = (b"\n", b"\r\n"),
        dtr: bool = True,
    ) -> None:
        self.port = port
        self.timeout_s = timeout_s
        self.lost = False
        self.lock = threading.RLock()
        self._settle_s = settle_s
        self._command_end, self._answer_end = terminators
        self._answer_owed = False
        self._serial = serial.Serial(
            None,
            baudrate,
            rtscts=rtscts,
            timeout=timeout_s,
            write_timeout=timeout_s,
            exclusive=True,  # a second program on the same line would mix its answers into ours
        )
        if not dtr:
            self._serial.dtr = False  # set before the port is opened: raising it restarts some boards
        self._open()

    def _open(self) -> None:
        try:
            self._serial.port = self.port
            self._serial.open()
        except (serial.SerialException, OSError, ValueError) as error:
            reason, hint = why_not_opened(error)
            raise TriggerError(
                f"cannot open the trigger box port {self.port}: {reason}", hint=hint
            ) from error
        self.lost = self._answer_owed = False
        if self._settle_s > 0:
            time.sleep(self._settle_s)
        self.drain()

    def reopen(self, patience_s: float = 0.0) -> None:
        """Close the port and open it again, as after the box was plugged in anew.

        Args:
            patience_s: How long to wait until the port can be opened, in s.

        Raises:
            TriggerError: It cannot be opened; `lost` stays true then.
        """
        deadline = time.monotonic() + patience_s
        with self.lock:
            self.close()
            self.lost = True
            while True:
                try:
                    self._open()
                    return
                except TriggerError:
                    if time.monotonic() >= deadline:
                        raise
                time.sleep(_RETRY_S)

    @classmethod
    def open(cls, port: str, settings: SerialSettings, terminators: tuple[bytes, bytes]) -> SerialLink:
        """Open `port` as a profile's `serial` says."""
        return cls(
            port,
            settings.baudrate,
            settings.rtscts,
            settings.timeout_s,
            settings.settle_s,
            terminators=terminators,
            dtr=settings.dtr,
        )

    def write(self, command: str) -> None:
        """Send one command.

        Raises:
            ProtocolError: The command is not plain ASCII of one line, or the box does not take it in time.
            BoxLost: The port is gone.
        """
        if not command.isascii() or not command.isprintable():
            raise ProtocolError(f"{command!r} is no command")
        with self.lock:
            self._await_silence()
            _LOG.debug("%s < %s", self.port, command)
            try:
                self._serial.write(command.encode("ascii") + self._command_end)
            except serial.SerialTimeoutException as error:
                raise ProtocolError(
                    f"the trigger box on {self.port} does not take commands",
                    hint="is it on, and does the cable carry the RTS/CTS handshake?",
                ) from error
            except (serial.SerialException, OSError) as error:
                raise self._gone(error) from error

    def query(self, command: str) -> str:
        """Send one command and return its answer without the end of line.

        Raises:
            ProtocolError: No answer in time, half an answer, or bytes that are no text.
            BoxLost: The port is gone.
        """
        with self.lock:
            self.write(command)
            self._answer_owed = True
            try:
                answer = self._serial.read_until(self._answer_end, MAX_ANSWER_BYTES)
            except (serial.SerialException, OSError) as error:
                raise self._gone(error) from error
            _LOG.debug("%s > %r", self.port, answer)
        if not answer:
            raise ProtocolError(
                f"no answer to {command} from {self.port} within {self.timeout_s:g} s",
                hint="is the box on, is this its port, and is its baud rate that of its profile?",
            )
        text = answer.removesuffix(self._answer_end)
        if text == answer or not text.isascii() or not text.decode("ascii").isprintable():
            raise ProtocolError(
                f"the answer to {command} from {self.port} is garbled: {answer[:40]!r}",
                hint="check baud rate and cable",
            )
        self._answer_owed = False
        return text.decode("ascii")

    def drain(self) -> None:
        """Throw away what has come in unasked, such as the late answer to an earlier command.

        Raises:
            BoxLost: The port is gone.
        """
        with self.lock:
            try:
                self._serial.reset_input_buffer()
            except (serial.SerialException, OSError) as error:
                raise self._gone(error) from error

    def expect_rest(self) -> None:
        """Let the next command wait until nothing comes in any more, and throw away what does until then."""
        self._answer_owed = True

    def _await_silence(self) -> None:
        """After a question without a proper answer: throw away what still comes, until nothing does any more.

        Else a late answer would be taken for that to the next question, and so on for ever.
        """
        deadline = time.monotonic() + _LONGEST_TALK * self.timeout_s
        while self._answer_owed:
            try:
                late = self._serial.read(MAX_ANSWER_BYTES)
            except (serial.SerialException, OSError) as error:
                raise self._gone(error) from error
            _LOG.debug("%s > %r, too late", self.port, late)
            self._answer_owed = bool(late)
            if late and time.monotonic() > deadline:
                raise ProtocolError(
                    f"the device on {self.port} does not stop talking", hint="check port and baud rate"
                )

    def close(self) -> None:
        """Give the port back; what was still to be sent is dropped."""
        with self.lock:
            try:
                self._serial.close()
            except OSError as error:  # the device is gone, and with it the port that was to be given back
                _LOG.warning("closing %s: %s", self.port, error)

    def _gone(self, error: Exception) -> BoxLost:
        self.lost = True
        return BoxLost(
            f"the trigger box on {self.port} is gone: {_reason(error)}",
            hint="check power and cable, then connect again",
        )


def why_not_opened(error: Exception) -> tuple[str, str]:
    """Return why a serial port could not be opened, in words, and what to do about it."""
    return _reason(error), _advice(error)


def _reason(error: Exception) -> str:
    if "returned no data" in str(error):  # pyserial's words for a port whose device has gone
        return "it was unplugged or switched off"
    cause = error.__context__ if isinstance(error.__context__, OSError) else error
    said = cause.strerror if isinstance(cause, OSError) else None
    return said or str(cause) or type(error).__name__


def _advice(error: Exception) -> str:
    text = str(error)
    if isinstance(error.__context__, FileNotFoundError) or "No such file" in text:
        return "is the box plugged in? 'ls /dev/tty*' shows the ports there are"
    if isinstance(error.__context__, PermissionError) or "Permission denied" in text:
        return "your user may not open serial ports; on Debian: sudo adduser $USER dialout, then log in again"
    if "lock" in text or "busy" in text:
        return "another program has it open"
    return "check the port in the rig's profile"
