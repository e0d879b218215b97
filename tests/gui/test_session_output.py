"""Report and data set of a processed session from the Review page, without a rig."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Qt, QTimer, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gui.main_window import MainWindow
from gui.settings import Settings
from gui.widgets.export_dialog import ExportDialog
from processing.jobs.batch import process_session
from tests.gui.windows import opened_window
from tests.processing.scenes import record_session

Wait = Callable[..., None]


class Browser(QObject):
    """Stands where the desktop's browser would be: Qt hands it the pages."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: list[Path] = []

    @Slot(QUrl)
    def show_page(self, url: QUrl) -> None:
        self.pages.append(Path(url.toLocalFile()))


@pytest.fixture
def browser(qapp: QApplication) -> Iterator[Browser]:
    made = Browser()
    QDesktopServices.setUrlHandler("file", made, "show_page")
    yield made
    QDesktopServices.unsetUrlHandler("file")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("output") / "session"
    with record_session(made, pairs=2):
        pass
    return made


@pytest.fixture
def window(qtbot: QtBot, folder: Path, tmp_path: Path, wait_until: Wait) -> Iterator[MainWindow]:
    with opened_window(tmp_path, Settings(page="review"), session=folder, open_rig=False) as made:
        wait_until(lambda: bool(made.review_page.listing.shots), "the listing")
        yield made


def test_a_session_that_was_not_processed_offers_neither(window: MainWindow) -> None:
    page = window.review_page
    assert not page.work.report_button.isEnabled()
    assert not page.work.export_button.isEnabled()
    page.work.report()
    assert not page.processing


def test_the_report_opens_in_the_browser(
    window: MainWindow, folder: Path, browser: Browser, wait_until: Wait
) -> None:
    session = window.keeper.session
    assert session is not None
    process_session(session, blur=False)
    page = window.review_page
    page.refresh()
    wait_until(page.work.report_button.isEnabled, "the button")
    window.action("review.report").trigger()
    assert page.processing
    assert not page.work.process_button.isEnabled()
    wait_until(lambda: bool(browser.pages), "the page", 60)
    assert browser.pages == [folder / "report.html"]
    assert "Scene s01" in browser.pages[0].read_text("utf-8")
    wait_until(lambda: page.work.outcome.text().startswith("Report written"), "the words")
    assert page.work.process_button.isEnabled()


def test_a_data_set_goes_where_the_dialog_says(
    window: MainWindow, tmp_path: Path, qtbot: QtBot, wait_until: Wait
) -> None:
    page = window.review_page
    wait_until(page.work.export_button.isEnabled, "the button")

    def answer() -> None:
        dialog = page.findChild(ExportDialog)
        assert dialog is not None
        dialog.folder.setText("  ")
        assert not dialog.export_button.isEnabled()
        dialog.folder.setText(str(tmp_path / "set"))
        dialog.scenes.item(0).setCheckState(Qt.CheckState.Checked)
        dialog.author.setText("A. Person")
        qtbot.mouseClick(dialog.export_button, Qt.MouseButton.LeftButton)

    QTimer.singleShot(0, answer)
    window.action("review.export").trigger()
    wait_until(lambda: page.work.outcome.text().startswith("Exported and checked"), "the data set", 60)
    assert "0 pairs to train, 2 to test" in page.work.outcome.text()
    assert len(list((tmp_path / "set" / "masks" / "test").rglob("*.png"))) == 2
    assert "Authors: A. Person" in (tmp_path / "set" / "README.md").read_text("utf-8")


def test_a_folder_that_holds_something_else_is_refused_in_words(
    window: MainWindow, tmp_path: Path, qtbot: QtBot, wait_until: Wait
) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    page = window.review_page
    wait_until(page.work.export_button.isEnabled, "the button")

    def answer() -> None:
        dialog = page.findChild(ExportDialog)
        assert dialog is not None
        dialog.folder.setText(str(tmp_path))
        dialog.accept()

    QTimer.singleShot(0, answer)
    page.work.export()
    wait_until(lambda: "is not empty" in page.work.outcome.text(), "the refusal", 60)
    assert page.work.export_button.isEnabled()
    assert (tmp_path / "thesis.tex").read_text() == "years of work"
