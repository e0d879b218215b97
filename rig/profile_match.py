"""Which built-in camera profiles fit a camera, by what it says about itself."""

from __future__ import annotations

import re

from rig.profiles import CameraProfile, list_profiles, load_profile


def fitting_profiles(vendor: str, model: str) -> list[str]:
    """Return the built-in camera profiles that fit, the best first.

    A profile fits where every pattern of its `match` is found. Profiles without any pattern, such as the
    generic one for all cameras that follow SFNC, fit every camera and come last.

    Args:
        vendor: As the producer announces it.
        model: As the producer announces it.

    Raises:
        ProfileError: A built-in profile is damaged.
    """
    fits = []
    for entry in list_profiles():
        if entry.kind == "camera":
            profile = load_profile(entry.name, "camera")
            if _fits(profile, vendor, model):
                fits.append(profile)
    return [profile.name for profile in sorted(fits, key=lambda profile: (-_patterns(profile), profile.name))]


def is_generic(name: str) -> bool:
    """Return whether a camera profile is for every camera, so that it knows nothing of any."""
    return _patterns(load_profile(name, "camera")) == 0


def _fits(profile: CameraProfile, vendor: str, model: str) -> bool:
    wanted = ((profile.match.vendor, vendor), (profile.match.model, model))
    return all(pattern is None or re.search(pattern, said) for pattern, said in wanted)


def _patterns(profile: CameraProfile) -> int:
    return sum(pattern is not None for pattern in (profile.match.vendor, profile.match.model))
