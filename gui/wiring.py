"""Which signal goes to which slot of the window: one page to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gui.rail import PAGES

if TYPE_CHECKING:
    from gui.main_window import MainWindow


def connect(window: MainWindow) -> None:
    """Connect rig service, pages and actions with each other; called once."""
    service, capture, review = window.service, window.capture_page, window.review_page
    service.readiness.connect(window.rig_view.show_readiness)
    service.opened.connect(window.rig_view.opened)
    service.closed.connect(window.rig_view.closed)
    service.live_changed.connect(capture.live.set_live)
    service.applied.connect(window.rig_view.plan_applied)
    service.take_started.connect(capture.take_started)
    service.shot.connect(capture.take.shot)
    service.take_finished.connect(window.take_finished)
    checker = window.session.checker
    service.take_finished.connect(checker.check)
    checker.checking.connect(capture.set_checking)
    checker.recorded.connect(window.session.index.refresh)
    checker.failed.connect(window.show_trouble)
    capture.overrule_wanted.connect(checker.overrule)
    service.take_failed.connect(window.take_failed)
    service.restarting.connect(capture.live.camera_lost)
    service.restarted.connect(capture.live.camera_back)
    service.gave_up.connect(capture.live.camera_given_up)
    service.trouble.connect(window.show_trouble)
    service.session_changed.connect(window.session.changed)
    card = window.plan_page.results.measure
    card.wanted.connect(lambda what: service.tests.measure(what, window.plan_page.plan()))
    service.tests.measured.connect(card.show_measured)
    service.tests.measure_failed.connect(card.show_trouble)
    window.plan_page.use_plan.connect(service.apply_plan)
    window.plan_page.plan_changed.connect(capture.set_wished_plan)
    capture.capture_wanted.connect(service.capture)
    capture.fire_wanted.connect(service.fire)
    capture.keep_wanted.connect(service.keep)
    capture.cancel_wanted.connect(service.cancel)
    capture.abort_wanted.connect(service.abort)
    capture.live_wanted.connect(service.set_live)
    capture.restart_wanted.connect(service.restart_camera)
    window.readiness.retry_wanted.connect(window.open_rig)
    window.session.index.listed.connect(window.session.listed)
    window.session.index.checked.connect(window.session.checked)
    window.session.index.failed.connect(window.session.failed)
    window.banner.told.connect(window.messages.add)
    review.trouble.connect(window.show_trouble)
    review.deblur_wanted.connect(window.deblur_pair)
    deblur = window.deblur_page
    deblur.trouble.connect(window.show_trouble)
    calibrate = window.calibrate_page
    calibrate.trouble.connect(window.show_trouble)
    calibrate.capture_wanted.connect(window.capture_kind)
    calibrate.changed.connect(window.session.index.refresh)
    devices = window.devices_page
    service.opened.connect(devices.rig_opened)
    devices.trouble.connect(window.show_trouble)
    happenings = devices.happenings
    happenings.told.connect(window.messages.add)
    service.told.connect(happenings.device_event)
    service.restarting.connect(happenings.restarting)
    service.gave_up.connect(happenings.gave_up)
    service.box_restarted.connect(happenings.box_restarted)
    service.readiness.connect(happenings.readiness)
    service.opened.connect(happenings.opened)
    service.closed.connect(happenings.closed)
    service.take_finished.connect(happenings.take_finished)
    for key, slot in {
        "session.new": window.session.new,
        "session.open": window.session.open,
        "app.quit": window.close,
        "plan.use": window.plan_page.send_plan,
        "rig.live": window.toggle_live,
        "rig.sync": window.sync.start,
        "rig.reopen": window.open_rig,
        "capture.fire": capture.fire,
        "capture.keep": capture.keep,
        "capture.cancel": window.cancel,
        "capture.next": capture.panel.checklist.choose_next,
        "view.fit": window.views.fit,
        "view.actual": window.views.actual,
        "view.clipping": capture.bar.clipping.toggle,
        "view.grid": capture.bar.grid.toggle,
        "view.aligned": capture.bar.aligned.toggle,
        "view.deblur": window.session.align.deblur,
        "view.flip": window.views.flip,
        "review.next": review.select_next,
        "review.previous": review.select_previous,
        "review.filter": review.next_filter,
        "review.mask": review.overlay.next,
        "review.reject": review.toggle_reject,
        "review.accept": review.toggle_accept,
        "review.process": review.work.process,
        "review.report": review.work.report,
        "review.export": review.work.export,
        "deblur.run": deblur.run,
        "deblur.live": deblur.toggle_live,
        "deblur.hold": deblur.toggle_hold,
        "deblur.moved": deblur.panel.moved_box.click,
        "deblur.sharp": deblur.panel.sharp_box.click,
        "deblur.mask": deblur.mask_box.toggle,
        "deblur.adapt": deblur.adapt.trigger,
        "deblur.save": deblur.save,
        "calibrate.make": calibrate.make,
        "calibrate.file": calibrate.choose_file,
        "devices.look": devices.look,
        "devices.search": devices.find_setting,
        "devices.report": devices.copy_report,
        "help.messages": lambda: window.messages.show_in(window),
        "help.keys": window.help_toggle,
    }.items():
        window.actions_by_key[key].triggered.connect(slot)
    for name in PAGES:
        window.actions_by_key[f"page.{name}"].triggered.connect(
            lambda _=False, page=name: window.show_page(page)
        )
