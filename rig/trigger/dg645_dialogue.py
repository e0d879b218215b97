"""How one talks to a DG645: set, ask for errors, read back, compare."""

from __future__ import annotations

import logging
import math

from rig.errors import ProtocolError, TriggerError
from rig.trigger.dg645_codes import Status, error_text
from rig.trigger.link import SerialLink

_LOG = logging.getLogger(__name__)

_MAX_STALE_ERRORS = 64


class Dialogue:
    """Commands and questions to the box.

    Args:
        link: Open line.
        delay_resolution_s: Step of the box's delays, the tolerance of their read-back, in s.
    """

    def __init__(self, link: SerialLink, delay_resolution_s: float) -> None:
        self.link = link
        self._delay_resolution_s = delay_resolution_s

    def set(self, name: str, value: float, *, index: int | None = None, tolerance: float = 0.0) -> float:
        """Set one value, ask for errors, read it back, and return what the box applied."""
        at = "" if index is None else str(index)
        command = f"{name} {at}{at and ','}{_decimal(value)}"
        with self.link.lock:
            self.command(command)
            applied = _number(self.link.query(f"{name}?{at}"), f"{name}?{at}")
        self._compare(command, value, applied, tolerance)
        return applied

    def set_delay(self, channel: int, reference: int, delay_s: float) -> float:
        """Set one delay channel relative to another, read it back, and return the applied delay, in s."""
        command, question = f"DLAY {channel},{reference},{_decimal(delay_s)}", f"DLAY?{channel}"
        with self.link.lock:
            self.command(command)
            answer = self.link.query(question)
        linked, _, delay = answer.partition(",")
        self._compare(command, reference, _number(linked, question), 0.0)
        applied_s = _number(delay, question)
        self._compare(command, delay_s, applied_s, self._delay_resolution_s)
        return applied_s

    def command(self, command: str) -> None:
        """Send a command that has no answer, and ask whether it was accepted.

        Raises:
            TriggerError: It was not.
        """
        with self.link.lock:
            self.link.write(command)
            self._raise_error(command)

    def _compare(self, command: str, asked: float, applied: float, tolerance: float) -> None:
        if abs(applied - asked) > tolerance * (1 + 1e-6):
            raise TriggerError(
                f"the DG645 applied {applied:.12g} after '{command}'",
                hint="was it operated by hand at the same time?",
            )

    def _raise_error(self, command: str) -> None:
        code = int(_number(self.link.query("LERR?"), "LERR?"))
        if code:
            raise TriggerError(
                f"the DG645 refused '{command}': {error_text(code)} ({code})",
                hint="compare levels and limits in its profile with its manual",
            )

    def reset(self) -> None:
        """Bring the box into its default state and forget the errors of earlier programs."""
        with self.link.lock:
            self.link.write("*RST")
            self.link.write("*CLS")
            for _ in range(_MAX_STALE_ERRORS):
                code = int(_number(self.link.query("LERR?"), "LERR?"))
                if not code:
                    return
                _LOG.debug("stale DG645 error: %s (%d)", error_text(code), code)
        raise ProtocolError("the DG645 does not stop reporting errors", hint="switch it off and on")

    def status(self) -> Status:
        """Read the status register, which clears it."""
        return Status(int(_number(self.link.query("INSR?"), "INSR?")) & 0xFF)


def _decimal(value: float) -> str:
    """Write a number as the box likes it: no exponent, down to 1 ps."""
    text = f"{value:.12f}".rstrip("0").rstrip(".")
    return text or "0"


def _number(answer: str, question: str) -> float:
    try:
        number = float(answer)
    except ValueError as error:
        raise ProtocolError(
            f"the DG645 answered '{answer}' to {question}", hint="a number was expected"
        ) from error
    if not math.isfinite(number):
        raise ProtocolError(f"the DG645 answered '{answer}' to {question}", hint="a number was expected")
    return number
