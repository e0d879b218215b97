"""What a serial line makes of bytes when sender and receiver do not agree on the speed (8N1)."""

from __future__ import annotations

FRAME_BITS = 10
"""Start bit, eight data bits from the lowest on, stop bit."""


def through(data: bytes, sent_baud: int, received_baud: int) -> bytes:
    """Send bytes at one speed and receive them at another.

    The receiver does what a UART does: it waits for a falling edge, samples each of its own bits in the
    middle, and hands over a zero where the stop bit is missing, as a Linux terminal does.

    Args:
        data: Bytes as sent, without gaps.
        sent_baud: Bits per second of the sender.
        received_baud: Bits per second of the receiver.

    Returns:
        Bytes as received; the same where the speeds differ by a few percent only.
    """
    line = [1]
    for byte in data:
        line += [0, *((byte >> bit) & 1 for bit in range(8)), 1]
    received = bytearray()
    at = 0
    while (at := _next_low(line, at)) < len(line):
        bits = [
            _level(line, at + (2 * bit + 1) * sent_baud // (2 * received_baud)) for bit in range(FRAME_BITS)
        ]
        if bits[0]:  # too short for a start bit: not noticed
            at = _next_high(line, at)
            continue
        received.append(sum(level << bit for bit, level in enumerate(bits[1:9])) if bits[9] else 0)
        at = _next_high(line, at + (2 * FRAME_BITS - 1) * sent_baud // (2 * received_baud))
    return bytes(received)


def _level(line: list[int], at: int) -> int:
    return line[at] if at < len(line) else 1


def _next_low(line: list[int], at: int) -> int:
    while at < len(line) and line[at]:
        at += 1
    return at


def _next_high(line: list[int], at: int) -> int:
    while at < len(line) and not line[at]:
        at += 1
    return at
