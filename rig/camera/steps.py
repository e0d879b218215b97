"""Ordered feature writes of a camera profile: alternatives, optional steps, rounds over a selector.

A step sets one feature (its own name, or `$alias`) to a value, to the first of several alternatives that the
camera takes, or to a value of the context (`$plan.exposure_us`, `$live.rate_hz`, `$slot.trigger_line`).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping

from rig.camera.errors import ReadBackMismatch
from rig.camera.features import FeatureMap
from rig.camera.types import Applied, FeatureValue, StepSpec
from rig.errors import DeviceError, FeatureMissing, FeatureRejected

Context = Mapping[str, float | str]


def apply_steps(features: FeatureMap, steps: Iterable[StepSpec], context: Context) -> list[Applied]:
    """Execute steps in order, look at all of them again at the end, and return what became of each write.

    A camera may undo a setting when another one is written (a trigger source, say, when the trigger is
    switched on), so what was read back right after its write is read once more when all is done.

    An optional step is skipped, with its reason in `Applied.skipped`, when the camera lacks the feature or
    refuses every alternative; a value that is accepted but read back differently is an error all the same.

    Raises:
        FeatureMissing: the camera lacks a feature that is not optional.
        FeatureRejected: it refused a value, or read back another one, at once or at the end
            (`ReadBackMismatch`).
        DeviceError: a step asks for a context value that was not given.
    """
    done: list[Applied] = []
    kept = Kept()
    for step in steps:
        values = [substitute(value, context) for value in step.to]
        try:
            if step.for_each:
                done.extend(_each(features, step, values))
                kept.forget(step.for_each)
            else:
                done.append(_first(features, step, values))
                kept.add(step.set, done[-1])
        except (FeatureMissing, FeatureRejected) as exc:
            if not step.optional or isinstance(exc, ReadBackMismatch):
                raise
            done.append(Applied(step.set, values[0], None, skipped=exc.one_line()))
    kept.check(features)
    return done


class Kept:
    """What was read back after each write, for as long as it must still hold."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[str, FeatureValue]] = {}

    def add(self, name: str, applied: Applied) -> None:
        """Note a write; one of a selector leaves what it selects behind."""
        self.forget(applied.name)
        if applied.applied is not None:
            self._values[applied.name] = (name, applied.applied)

    def forget(self, selector: str) -> None:
        """Drop the features that a selector selects: `TriggerSelector` those that begin with `Trigger`."""
        if selector.endswith("Selector"):
            stem = selector.removesuffix("Selector")
            self._values = {name: kept for name, kept in self._values.items() if not name.startswith(stem)}

    def check(self, features: FeatureMap) -> None:
        """Read everything again.

        Raises:
            ReadBackMismatch: a later step changed it.
        """
        for own_name, (name, value) in self._values.items():
            now = features.read(name)
            same = now == value
            if isinstance(now, float) and isinstance(value, int | float):
                same = math.isclose(now, value, rel_tol=1e-9, abs_tol=1e-9)
            if not same:
                raise ReadBackMismatch(
                    f"{own_name} was applied as {value}, a later step made the camera change it to {now}",
                    hint="put it behind that step in the camera's profile",
                )


def substitute(value: FeatureValue, context: Context) -> FeatureValue:
    """Replace `$name.field` by its value in the context; anything else stays.

    Raises:
        DeviceError: the context has no such value.
    """
    if not (isinstance(value, str) and value.startswith("$")):
        return value
    known = {key.removeprefix("$"): entry for key, entry in context.items()}
    if value[1:] not in known:
        raise DeviceError(
            f"a step of the camera profile needs {value}, which was not given",
            hint=f"known here: {', '.join(f'${key}' for key in sorted(known)) or 'nothing'}",
        )
    return known[value[1:]]


def _first(features: FeatureMap, step: StepSpec, values: list[FeatureValue], selector: str = "") -> Applied:
    """Write the first alternative that the camera takes; the error of a single one is passed on as it is."""
    refusals: list[FeatureRejected] = []
    for value in values:
        try:
            applied = features.write(step.set, value, abs_tol=step.verify.abs, rel_tol=step.verify.rel)
        except ReadBackMismatch:
            raise
        except FeatureRejected as exc:
            refusals.append(exc)
            continue
        return dataclasses.replace(applied, selector=selector)
    if len(refusals) == 1:
        raise refusals[0]
    raise FeatureRejected(
        f"{step.set} cannot be any of {', '.join(str(value) for value in values)}",
        hint="; ".join(exc.one_line() for exc in refusals),
    )


def _each(features: FeatureMap, step: StepSpec, values: list[FeatureValue]) -> list[Applied]:
    """Write once per entry of the selector, then put the selector back where it was."""
    before = features.read(step.for_each)
    done: list[Applied] = []
    try:
        for entry in features.entries(step.for_each):
            features.write(step.for_each, entry)
            label = f"{step.for_each}={entry}"
            try:
                done.append(_first(features, step, values, label))
            except (FeatureMissing, FeatureRejected) as exc:
                if not step.optional or isinstance(exc, ReadBackMismatch):
                    raise
                done.append(Applied(step.set, values[0], None, selector=label, skipped=exc.one_line()))
    finally:
        features.write(step.for_each, before)
    return done
