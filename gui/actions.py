"""The table of main actions: one record gives menu entry, shortcut, tooltip and line in the help overlay."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget


@dataclass(frozen=True)
class ActionInfo:
    """One action of the window.

    Attributes:
        key: The name it is built and found by.
        text: What the menu says.
        shortcuts: Key sequences in Qt's portable notation; the first is the one shown.
        group: The menu and the column of the help overlay it stands in.
        hint: One sentence for tooltip and overlay.
        page: The page it belongs to; elsewhere it is off, so that a key never fires what cannot be seen.
        in_menu: False for what would clutter a menu.
    """

    key: str
    text: str
    shortcuts: tuple[str, ...]
    group: str
    hint: str
    page: str = ""
    in_menu: bool = True


ACTIONS: tuple[ActionInfo, ...] = (
    ActionInfo(
        "session.new",
        "New session",
        ("Ctrl+N",),
        "Session",
        "Start a fresh session folder at the next capture",
    ),
    ActionInfo("session.open", "Open session…", ("Ctrl+O",), "Session", "Go on with a session on disk"),
    ActionInfo("app.quit", "Quit", ("Ctrl+Q",), "Session", "Stop the rig and close the window"),
    ActionInfo("page.plan", "Plan", ("F2", "Ctrl+1"), "Pages", "Speed and distance to exposures"),
    ActionInfo("page.capture", "Capture", ("F3", "Ctrl+2"), "Pages", "Live views and takes"),
    ActionInfo("page.review", "Review", ("F4", "Ctrl+3"), "Pages", "The pairs of the session"),
    ActionInfo(
        "page.deblur", "Deblur", ("F5", "Ctrl+4"), "Pages", "Preview of the network on a developed pair"
    ),
    ActionInfo(
        "page.calibrate", "Calibrate", ("F6", "Ctrl+5"), "Pages", "What the session is calibrated from"
    ),
    ActionInfo("page.devices", "Devices", ("F7", "Ctrl+6"), "Pages", "What is connected, and how it is"),
    ActionInfo(
        "plan.use",
        "Use this plan",
        ("Ctrl+Return",),
        "Rig",
        "Write the planned exposures to the rig",
        page="plan",
    ),
    ActionInfo("rig.live", "Live view on or off", ("L",), "Rig", "Start or stop both live views"),
    ActionInfo(
        "rig.sync",
        "Sync test…",
        ("Ctrl+T",),
        "Rig",
        "Prove the synchrony with counted bursts, nothing recorded",
    ),
    ActionInfo("rig.reopen", "Reopen the rig", ("Ctrl+R",), "Rig", "Close the rig and open it anew"),
    ActionInfo(
        "capture.fire",
        "Capture",
        ("Space", "Return"),
        "Capture",
        "Begin the take; by hand: shoot; with a pre-roll: keep it",
        page="capture",
    ),
    ActionInfo(
        "capture.keep",
        "Keep the pre-roll",
        ("K",),
        "Capture",
        "Write what the pre-roll holds, and all from now on",
        page="capture",
    ),
    ActionInfo(
        "capture.cancel",
        "Stop",
        ("Esc",),
        "Capture",
        "Stop what runs: take, processing, deblur; else close the message",
    ),
    ActionInfo(
        "capture.next",
        "Next step of the scene",
        ("N",),
        "Capture",
        "Whiteboard, lightbox, static, action",
        page="capture",
    ),
    ActionInfo("view.fit", "Fit the picture", ("F",), "View", "The whole picture in every view"),
    ActionInfo("view.actual", "Actual pixels", ("1",), "View", "One picture pixel on one screen pixel"),
    ActionInfo(
        "view.clipping", "Mark clipped pixels", ("C",), "View", "RAW codes at the white level, in red"
    ),
    ActionInfo("view.grid", "Grid", ("G",), "View", "Thirds and middle over both live views"),
    ActionInfo(
        "view.aligned",
        "Aligned",
        ("A",),
        "View",
        "Both live views through the calibration, B on the grid of S",
        page="capture",
    ),
    ActionInfo(
        "view.deblur",
        "Deblur what B sees",
        ("Ctrl+D",),
        "View",
        "Open the aligned live picture of B on the Deblur page",
        page="capture",
    ),
    ActionInfo(
        "view.flip",
        "Flip left and right",
        ("X",),
        "View",
        "All of one compared picture, then of the other",
    ),
    ActionInfo(
        "review.next",
        "Next pair",
        ("Down", "J"),
        "Review",
        "Select the next pair or shot",
        page="review",
        in_menu=False,
    ),
    ActionInfo(
        "review.previous",
        "Previous pair",
        ("Up", "K"),
        "Review",
        "Select the pair or shot before",
        page="review",
        in_menu=False,
    ),
    ActionInfo(
        "review.process",
        "Process scene",
        ("Ctrl+P",),
        "Review",
        "Develop all pairs of the selected scene",
        page="review",
    ),
    ActionInfo(
        "review.filter",
        "Filter the list",
        ("V",),
        "Review",
        "All shots, with findings, stopped",
        page="review",
    ),
    ActionInfo(
        "review.mask",
        "Show the mask",
        ("M",),
        "Review",
        "Where B is blurred; again: how sure",
        page="review",
    ),
    ActionInfo(
        "review.reject",
        "Reject the pair…",
        ("E",),
        "Review",
        "Leave it out of exports; again: take it back",
        page="review",
    ),
    ActionInfo(
        "review.accept",
        "Accept the pair…",
        ("Y",),
        "Review",
        "Keep it whatever the checks say",
        page="review",
    ),
    ActionInfo(
        "review.report",
        "Report",
        ("R",),
        "Review",
        "Figures and pictures of the session, in the browser",
        page="review",
    ),
    ActionInfo(
        "review.export",
        "Export data set…",
        ("Ctrl+E",),
        "Review",
        "All good pairs in the layout of ReLoBlur",
        page="review",
    ),
    ActionInfo(
        "deblur.run", "Run deblur", ("D",), "Deblur", "Preview first, then the full picture", page="deblur"
    ),
    ActionInfo(
        "deblur.live",
        "Live",
        ("V",),
        "Deblur",
        "What the cameras see, deblurred",
        page="deblur",
    ),
    ActionInfo(
        "deblur.hold",
        "Hold the live picture",
        ("H",),
        "Deblur",
        "No newer one comes, until again",
        page="deblur",
    ),
    ActionInfo(
        "deblur.moved",
        "Only where it moved",
        ("O",),
        "Deblur",
        "Compute only where B differs from S",
        page="deblur",
    ),
    ActionInfo(
        "deblur.sharp",
        "Compare with S",
        ("S",),
        "Deblur",
        "S on the left instead of B",
        page="deblur",
    ),
    ActionInfo(
        "deblur.mask", "Show the mask", ("M",), "Deblur", "Overlay where the network sees blur", page="deblur"
    ),
    ActionInfo(
        "deblur.save",
        "Save result…",
        ("Ctrl+S",),
        "Deblur",
        "Sharp picture as 16-bit PNG, mask as 8-bit PNG",
        page="deblur",
    ),
    ActionInfo(
        "deblur.adapt",
        "Adapt to this set",
        ("Ctrl+A",),
        "Deblur",
        "Learn from the session's own pairs",
        page="deblur",
    ),
    ActionInfo(
        "calibrate.make",
        "Make it from the takes",
        ("Ctrl+Return",),
        "Calibrate",
        "Measure the chosen kind in the scene",
        page="calibrate",
    ),
    ActionInfo(
        "calibrate.file",
        "Use a file…",
        ("U",),
        "Calibrate",
        "A laboratory's, instead of own takes",
        page="calibrate",
    ),
    ActionInfo(
        "devices.look",
        "Look for devices",
        ("Ctrl+L",),
        "Devices",
        "Cameras and trigger boxes",
        page="devices",
    ),
    ActionInfo(
        "devices.search",
        "Find a setting",
        ("Ctrl+F",),
        "Devices",
        "Search the camera's settings",
        page="devices",
    ),
    ActionInfo(
        "devices.report",
        "Copy report",
        ("Ctrl+B",),
        "Devices",
        "All about the rig, for a bug report",
        page="devices",
    ),
    ActionInfo("help.messages", "Messages", ("Ctrl+M",), "Help", "Everything that was told since the start"),
    ActionInfo("help.keys", "Keyboard shortcuts", ("F1",), "Help", "This overlay"),
)

GROUPS: tuple[str, ...] = tuple(dict.fromkeys(info.group for info in ACTIONS))


def info_for(key: str) -> ActionInfo:
    """Return the record of a key.

    Raises:
        KeyError: No action has this key; the message names the nearest ones.
    """
    for info in ACTIONS:
        if info.key == key:
            return info
    import difflib

    near = ", ".join(difflib.get_close_matches(key, [info.key for info in ACTIONS], n=3)) or "none near"
    raise KeyError(f"no action {key!r}; did you mean: {near}")


def shortcut_text(key: str) -> str:
    """Return the shown shortcut of an action as the user's platform writes it."""
    info = info_for(key)
    return QKeySequence(info.shortcuts[0]).toString(QKeySequence.SequenceFormat.NativeText)


def tooltip(key: str) -> str:
    """Return the hint of an action with its shortcut, for buttons that trigger it."""
    return f"{info_for(key).hint}  [{shortcut_text(key)}]"


def build_actions(parent: QWidget) -> dict[str, QAction]:
    """Make one QAction a record, owned by `parent` and not yet connected."""
    actions: dict[str, QAction] = {}
    for info in ACTIONS:
        action = QAction(info.text, parent)
        action.setShortcuts([QKeySequence(keys) for keys in info.shortcuts])
        action.setToolTip(tooltip(info.key))
        action.setStatusTip(info.hint)
        actions[info.key] = action
    return actions
