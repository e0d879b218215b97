"""Developed action pairs of a session of ours: what the rig took is what the training learns from."""

from __future__ import annotations

from pathlib import Path

from models.training.sources_layouts import PairFiles, Side
from processing.dataset.split import hashed_split
from processing.jobs.derived import read_scenes
from processing.page.paper_figures import TEST_SHARE
from rig.session import Session

__all__ = ["find_session"]


def find_session(root: Path, side: Side) -> list[PairFiles] | None:
    """Return a session's developed action pairs that neither a person nor the checks left out.

    A scene is on the side where the export puts it by default, so a training on the session and one on its
    export hold back the same scenes.

    Returns:
        None where the folder is no session.

    Raises:
        SessionError: A card is damaged.
        ProcessingError: Figures of a scene were changed or damaged.
    """
    if not (root / "session.yaml").is_file():
        return None
    with Session.open(root) as session:
        return [
            PairFiles(pair.record.id, pair.files["B"], pair.files["S"], pair.files["mask"])
            for scene in read_scenes(session)
            if hashed_split(session.id, scene.name, TEST_SHARE) == side
            for pair in scene.of_kind("action")
            if pair.state == "developed" and not pair.left_out
        ]
