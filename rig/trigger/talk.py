"""Talking to a trigger box: who is there, is it the right one, and what its answers must look like."""

from __future__ import annotations

import logging
import math
import re
from abc import ABC, abstractmethod
from typing import ClassVar, NoReturn

from rig.errors import ProtocolError, TriggerError
from rig.profiles import TriggerBoxProfile
from rig.trigger.base import BoxInfo
from rig.trigger.link import BoxLost, SerialLink

_LOG = logging.getLogger(__name__)


class BoxTalk(ABC):
    """How one kind of box is spoken to.

    Args:
        link: Open line.
        profile: Which models may be there.
    """

    NAME: ClassVar[str]
    """Name for messages, with its article."""

    QUESTION: ClassVar[str]
    """Asks who is there; changes nothing in the box, nor in any other device that may be there."""

    MAKER: ClassVar[re.Pattern[str]]
    """Found in the answer to `QUESTION` of every device of the makers whose boxes the driver knows."""

    ERROR_QUESTION: ClassVar[str] = ""
    """Asks for the oldest error that the box has kept; empty where it keeps none."""

    def __init__(self, link: SerialLink, profile: TriggerBoxProfile) -> None:
        self.link = link
        self.profile = profile

    @classmethod
    @abstractmethod
    def recognise(cls, answer: str, profile: TriggerBoxProfile) -> BoxInfo | None:
        """Return who answered `QUESTION` so, or None where it is no box that `profile` is for."""

    @classmethod
    def made(cls, answer: str) -> bool:
        """Return whether a device that answers `QUESTION` so is of a maker that the driver knows."""
        return cls.MAKER.search(answer) is not None

    @classmethod
    def complaint(cls, answer: str) -> str:
        """Return the error in an answer to `ERROR_QUESTION`, in words; empty where there is none."""
        return ""

    def identify(self) -> BoxInfo:
        """Ask who is there and refuse a stranger.

        Raises:
            TriggerError: Another device.
            ProtocolError: No answer, or no sensible one.
        """
        answer = self.ask_twice(self.QUESTION)
        info = self.recognise(answer, self.profile)
        if info is None:  # or it refused the rest of an earlier program's command together with ours
            self.link.expect_rest()
            answer = self.link.query(self.QUESTION)
            info = self.recognise(answer, self.profile)
        if info is None:
            self.stranger(answer)
        return info

    def ask_twice(self, command: str) -> str:
        """Ask; where the answer is none or no text, ask once more.

        Half a command of an earlier program may stand in the box's buffer, or a late answer in ours.
        """
        try:
            return self.link.query(command)
        except BoxLost:
            raise
        except ProtocolError as error:
            _LOG.info("%s; asking once more", error.message)
            self.link.drain()
            return self.link.query(command)

    def stranger(self, answer: str) -> NoReturn:
        """Refuse a device that is not the profile's."""
        raise TriggerError(
            f"the device on {self.link.port} is '{answer}', not {self.profile.title}",
            hint="check the port and the trigger box in the rig's profile",
        )

    def differs(self, command: str, applied: object) -> NoReturn:
        """Refuse a value read back that is not the one sent."""
        raise TriggerError(
            f"{self.NAME} applied {applied} after '{command}'",
            hint="was it operated by hand at the same time?",
        )

    def number(self, answer: str, question: str) -> float:
        """Return an answer as number (`ProtocolError` where it is none)."""
        try:
            value = float(answer)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise ProtocolError(
                f"{self.NAME} answered '{answer}' to {question}", hint="a number was expected"
            )
        return value
