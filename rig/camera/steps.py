"""Ordered feature writes of a camera profile: alternatives, optional steps, rounds over a selector.

A step sets one feature (its own name, or `$alias`) to a value, to the first of several alternatives that the
camera takes, or to a value of the context (`$plan.exposure_us`, `$live.rate_hz`, `$slot.trigger_line`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rig.camera.errors import ReadBackMismatch
from rig.camera.features import FeatureMap
from rig.camera.types import Applied, FeatureValue, StepSpec
from rig.errors import DeviceError, FeatureMissing, FeatureRejected

Context = Mapping[str, float | str]


def apply_steps(features: FeatureMap, steps: Iterable[StepSpec], context: Context) -> list[Applied]:
    """Execute steps in order and return what became of each write.

    An optional step is skipped, with its reason in `Applied.skipped`, when the camera lacks the feature or
    refuses every alternative; a value that is accepted but read back differently is an error all the same.

    Raises:
        FeatureMissing: the camera lacks a feature that is not optional.
        FeatureRejected: it refused a value, or read back another one (`ReadBackMismatch`).
        DeviceError: a step asks for a context value that was not given.
    """
    done: list[Applied] = []
    for step in steps:
        values = [substitute(value, context) for value in step.to]
        try:
            if step.for_each:
                done.extend(_each(features, step, values))
            else:
                done.append(_first(features, step, values))
        except (FeatureMissing, FeatureRejected) as exc:
            if not step.optional or isinstance(exc, ReadBackMismatch):
                raise
            done.append(Applied(step.set, values[0], None, skipped=exc.one_line()))
    return done


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
        return Applied(applied.name, applied.asked, applied.applied, applied.unit, selector)
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
