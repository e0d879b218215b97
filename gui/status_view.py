"""What the status bar says, and small tables made from the rig's and the session's records."""

from __future__ import annotations

from gui.session_index import Problems
from gui.sessions import SessionKeeper
from gui.take import StatusNow
from gui.widgets.readiness import Readiness, StatusChips
from rig.capture.result import AppliedPlan

STATE_WORDS = {
    "closed": ("off", "closed"),
    "opening": ("working", "opening"),
    "idle": ("ready", "ready"),
    "live": ("ready", "live"),
    "science": ("working", "capturing"),
    "lost": ("failed", "lost"),
}
DISK_WORDS = {
    "ok": ("ready", ""),
    "soft": ("warning", "Make room soon: takes still go on."),
    "hard": ("failed", "No shot is fired before there is room again; all shots until now are safe."),
}
LONGEST_NAME = 40
LONGEST_LIST = 12


class StatusView:
    """Translates records into the chips of the status bar."""

    def __init__(self, chips: StatusChips, keeper: SessionKeeper) -> None:
        self._chips = chips
        self._keeper = keeper

    def show_readiness(self, readiness: Readiness) -> None:
        """Show the state of a part that opens or failed."""
        chip = {"Camera B": "B", "Camera S": "S", "Trigger box": "Box"}.get(readiness.part)
        if chip is not None:
            self._chips.set(chip, readiness.state, readiness.state, readiness.text)

    def show_status(self, now: StatusNow) -> None:
        """Show a rig status."""
        for name, camera in now.rig.cameras.items():
            state, words = STATE_WORDS.get(camera.state, ("off", camera.state))
            self._chips.set(name, state, words, camera.message or f"Camera {name}: {words}")
        box = now.rig.box
        self._chips.set("Box", "failed" if box in ("lost", "fault") else "ready", box, f"Trigger box: {box}")
        disk = now.disk
        state, advice = DISK_WORDS[disk.level]
        words = f"{disk.pairs_left:,} pairs left".replace(",", "\u202f")
        self._chips.set("Disk", state, words, f"{disk.free_bytes / 1e9:.1f} GB free. {advice}")

    def show_session(self, problems: Problems | None = None) -> None:
        """Show the name of the session, and how much of it does not fit together."""
        folder, made = self._keeper.folder, self._keeper.session is not None
        name = shortened(folder.name)
        words = name if made else f"{name}, made at the first capture"
        if problems is not None and problems.lines:
            count = len(problems.lines)
            words = f"{name}, {count} problem{'s' if count > 1 else ''}"
            lines = [*problems.lines[:LONGEST_LIST], *(["…"] if count > LONGEST_LIST else [])]
            self._chips.set("Session", "warning", words, "\n".join([*lines, "", problems.advice()]))
            return
        self._chips.set("Session", "ready" if made else "off", words, str(folder))

    def applied_rows(self, applied: AppliedPlan) -> list[tuple[str, str, str, str]]:
        """Return (camera, feature, asked, got) of everything that was written for a plan."""
        rows: list[tuple[str, str, str, str]] = []
        for camera, exposure_us in applied.exposure_us.items():
            planned = applied.plan.applied_us[camera]
            rows.append((camera, "Exposure", f"{planned:.1f} µs", f"{exposure_us:.1f} µs"))
        for camera, writes in applied.settings.items():
            for write in writes:
                if write.skipped or write.name.startswith("ExposureTime"):
                    continue
                unit = f" {write.unit}" if write.unit else ""
                name = f"{write.name} ({write.selector})" if write.selector else write.name
                rows.append((camera, name, f"{plain(write.asked)}{unit}", f"{plain(write.applied)}{unit}"))
        return rows


def shortened(name: str) -> str:
    """Return a name that fits the status bar: its beginning and its end."""
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME // 2]}…{name[-LONGEST_NAME // 2 + 1 :]}"


def plain(value: object) -> str:
    """Write a feature value: numbers without needless digits."""
    return f"{value:g}" if isinstance(value, float) else str(value)
