"""The command table of the simulated DG645: one entry a mnemonic, set and query."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rig.virtual import dg645_settings as box
from rig.virtual.dg645_settings import BoxError, chosen, parse_float, parse_int, ranged, seconds, volts

if TYPE_CHECKING:
    from rig.virtual.dg645 import DG645

Action = Callable[["DG645", list[str]], str | None]


@dataclass(frozen=True)
class Command:
    """What a mnemonic does when set and when queried; None where it cannot be."""

    set: Action | None = None
    query: Action | None = None
    set_parameters: int = 0
    query_parameters: int = 0


def _identity(unit: DG645, _: list[str]) -> str:
    from rig.virtual.dg645 import IDENTITY

    return IDENTITY


def _delay_set(unit: DG645, p: list[str]) -> None:
    unit.settings.set_delay(parse_int(p[0]), parse_int(p[1]), parse_float(p[2]))
    unit.changed()


def _delay_query(unit: DG645, p: list[str]) -> str:
    channel = chosen(p[0], 10)
    if channel not in unit.settings.delays:
        return f"0,{seconds(0.0 if channel == box.T0 else unit.settings.cycle_s())}"
    reference, delay_s = unit.settings.delays[channel]
    return f"{reference},{seconds(delay_s)}"


def _levels(unit: DG645, amplitude: float, offset: float) -> None:
    if not -2.0 <= offset <= 2.0 or not 0.5 <= amplitude <= 5.0 or amplitude + offset > 6.0:
        raise BoxError(box.ILLEGAL_VALUE)


def _amplitude(unit: DG645, p: list[str]) -> None:
    output, value = chosen(p[0], 5), parse_float(p[1])
    _levels(unit, value, unit.settings.offset_v[output])
    unit.settings.amplitude_v[output] = round(value, 2)
    unit.changed()


def _offset(unit: DG645, p: list[str]) -> None:
    output, value = chosen(p[0], 5), parse_float(p[1])
    _levels(unit, unit.settings.amplitude_v[output], value)
    unit.settings.offset_v[output] = round(value, 2)
    unit.changed()


def _polarity(unit: DG645, p: list[str]) -> None:
    unit.settings.positive[chosen(p[0], 5)] = chosen(p[1], 2)
    unit.changed()


def _number(name: str, low: float, high: float, digits: int, show: Callable[[float], str]) -> Command:
    def put(unit: DG645, p: list[str]) -> None:
        setattr(unit.settings, name, round(ranged(parse_float(p[0]), low, high), digits))
        unit.changed(aborts=name == "rate_hz" and unit.settings.source == 0)

    return Command(put, lambda unit, _: show(getattr(unit.settings, name)), 1)


def _choice(name: str, count: int, *, aborts: bool = False) -> Command:
    def put(unit: DG645, p: list[str]) -> None:
        setattr(unit.settings, name, chosen(p[0], count))
        unit.changed(aborts=aborts)

    return Command(put, lambda unit, _: str(getattr(unit.settings, name)), 1)


def _burst_count(unit: DG645, p: list[str]) -> None:
    unit.settings.burst_count = int(ranged(parse_int(p[0]), 1, 2**32 - 1))
    unit.changed()


def _trigger(unit: DG645, _: list[str]) -> None:
    if unit.settings.source == box.SINGLE_SHOT:
        unit.engine.trigger()
    elif unit.settings.source not in (3, 4):  # 3, 4: arms for the external trigger, which is not connected
        raise BoxError(box.ILLEGAL_MODE)


def _last_error(unit: DG645, _: list[str]) -> str:
    return str(unit.errors.pop(0) if unit.errors else box.OK)


def _event_status(unit: DG645, _: list[str]) -> str:
    value, unit.event_status = unit.event_status, 0
    return str(value)


def _instrument_status(unit: DG645, _: list[str]) -> str:
    return str(unit.engine.take_events())


def _save(unit: DG645, p: list[str]) -> None:
    unit.memories[chosen(p[0], 10)] = unit.settings.copy()


def _recall(unit: DG645, p: list[str]) -> None:
    place = chosen(p[0], 10)
    if place == 0:  # location 0 holds the factory settings
        unit.reset()
    elif place in unit.memories:
        unit.settings = unit.memories[place].copy()
        unit.changed(aborts=True)
    else:
        raise BoxError(box.RECALL_FAILED)


def _operation_complete(unit: DG645, _: list[str]) -> None:
    unit.event_status |= 1


def _mask(name: str, count: int = 256) -> Command:
    def put(unit: DG645, p: list[str]) -> None:
        unit.masks[name] = chosen(p[0], count)

    return Command(put, lambda unit, _: str(unit.masks[name]), 1)


def _no_effect(unit: DG645, _: list[str]) -> None:
    return None


COMMANDS: dict[str, Command] = {
    "*IDN": Command(query=_identity),
    "*RST": Command(set=lambda unit, _: unit.reset()),
    "*CLS": Command(set=lambda unit, _: unit.clear()),
    "*TRG": Command(set=_trigger),
    "*OPC": Command(set=_operation_complete, query=lambda unit, _: "1"),
    "*WAI": Command(set=_no_effect),
    "*TST": Command(query=lambda unit, _: "0"),
    "*ESR": Command(query=_event_status),
    "*STB": Command(query=lambda unit, _: str(unit.status_byte())),
    "*ESE": _mask("*ESE"),
    "*SRE": _mask("*SRE"),
    "*PSC": _mask("*PSC", 2),
    "INSE": _mask("INSE"),
    "*SAV": Command(set=_save, set_parameters=1),
    "*RCL": Command(set=_recall, set_parameters=1),
    "INSR": Command(query=_instrument_status),
    "LERR": Command(query=_last_error),
    "TSRC": _choice("source", 7, aborts=True),
    "TRAT": _number("rate_hz", 1e-4, 1e7, 6, lambda v: f"{v:+.6f}"),
    "TLVL": _number("level_v", -3.5, 3.5, 2, volts),
    "INHB": _choice("inhibit", 6),
    "HOLD": _number("holdoff_s", 0.0, box.LONGEST_DELAY_S, 11, seconds),
    "BURM": _choice("burst", 2, aborts=True),
    "BURT": _choice("burst_t0", 2),
    "BURC": Command(_burst_count, lambda unit, _: str(unit.settings.burst_count), 1),
    "BURP": _number("burst_period_s", 100e-9, 2000.0 - 10e-9, 8, seconds),
    "BURD": _number("burst_delay_s", 0.0, box.LONGEST_DELAY_S, 12, seconds),
    "DLAY": Command(_delay_set, _delay_query, 3, 1),
    "LAMP": Command(_amplitude, lambda unit, p: volts(unit.settings.amplitude_v[chosen(p[0], 5)]), 2, 1),
    "LOFF": Command(_offset, lambda unit, p: volts(unit.settings.offset_v[chosen(p[0], 5)]), 2, 1),
    "LPOL": Command(_polarity, lambda unit, p: str(unit.settings.positive[chosen(p[0], 5)]), 2, 1),
    "REMT": Command(set=_no_effect),
    "LCAL": Command(set=_no_effect),
    "TIMB": Command(query=lambda unit, _: "0"),
}
