"""The same tasks on a dask cluster: other machines that see the session under the same path.

Which task a worker takes is dask's business. A task of a worker that dies is given to another one; only when
it takes several down with it, it counts as failed.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import Any, Final

import distributed
from distributed import KilledWorker
from distributed.client import ClosedClientError

from processing.errors import WorkerLost
from processing.jobs.pair_record import versions

CONNECT_S: Final = 10.0
"""Patience with a scheduler that does not answer, and with one that has no workers yet."""
ALONE_S: Final = 30.0
"""Patience with a cluster that has lost all of its workers, in case others come."""
_LOOK_S: Final = 0.5
_HINT: Final = "start them as: dask worker {address} --nworkers auto --nthreads 1"


class ClusterCrew:
    """The workers of a dask cluster.

    Args:
        address: of the scheduler, such as tcp://host:8786.
        session: folder of the session; all workers must see it.
        patience_s: for the scheduler and its workers.

    Raises:
        WorkerLost: if there is no scheduler, no worker, or one that would not give the same results.
    """

    def __init__(self, address: str, session: Path, patience_s: float = CONNECT_S) -> None:
        self.threads: int | None = 1
        logging.getLogger("distributed").setLevel(logging.ERROR)
        client: Any = distributed.Client  # which has no types
        try:
            self._client = client(address, timeout=patience_s, set_as_default=False)
        except (OSError, ValueError) as error:
            raise WorkerLost(
                f"no dask scheduler answers at {address}", hint="start one: dask scheduler"
            ) from error
        try:
            self._wait_for_workers(address, patience_s)
            self._compare(session)
            workers = self._client.scheduler_info(n_workers=-1)["workers"]
            self.seats = 2 * sum(worker["nthreads"] for worker in workers.values())
            self.name = f"{len(workers)} workers at {address}"
            self._executor = self._client.get_executor(pure=False)
            self._closed, self._lost = threading.Event(), threading.Event()
            watch = threading.Thread(target=self._watch, name="cluster", daemon=True)
            watch.start()
        except BaseException:
            self._client.close()
            raise

    def submit(self, work: Callable[[Any], Any], task: Any) -> Future[Any]:
        """Give a task to the cluster.

        Raises:
            WorkerLost: if it has gone away meanwhile.
        """
        try:
            future: Future[Any] = self._executor.submit(work, task)
        except ClosedClientError as error:
            raise _gone() from error
        return future

    def result(self, future: Future[Any]) -> Any:
        """Return what a finished task gave, or raise what it raised.

        Raises:
            WorkerLost: if every worker that took it died, or nobody is left who could do it.
        """
        try:
            return future.result()
        except KilledWorker as error:
            raise WorkerLost(
                "every worker of the cluster that took this task died", hint="look at the workers' logs"
            ) from error
        except CancelledError as error:
            raise _gone() from error

    def check(self) -> None:
        """Tell when nobody is left who could finish what is under way.

        Raises:
            WorkerLost: if the scheduler or all workers are gone.
        """
        if self._lost.is_set():
            raise _gone()

    def close(self, *, at_once: bool = False) -> None:
        """Say good-bye to the cluster; its workers stay for others."""
        self._closed.set()
        if self._client.status == "running" and not self._lost.is_set():
            self._executor.shutdown(wait=not at_once)
            self._client.close()

    def _watch(self) -> None:
        """Give up when nobody is left: dask itself would wait for new workers for ever."""
        alone_since: float | None = None
        while not self._closed.wait(_LOOK_S) and self._client.status == "running":
            if self._client.scheduler_info(n_workers=-1)["workers"]:
                alone_since = None
                continue
            alone_since = alone_since or time.monotonic()
            if time.monotonic() - alone_since > ALONE_S:
                break
        if not self._closed.is_set():
            self._lost.set()
            self._client.close()  # which cancels what is under way

    def _wait_for_workers(self, address: str, patience_s: float) -> None:
        try:
            self._client.wait_for_workers(1, timeout=patience_s)
        except TimeoutError as error:
            raise WorkerLost(
                f"the dask scheduler at {address} has no workers", hint=_HINT.format(address=address)
            ) from error

    def _compare(self, session: Path) -> None:
        """Make sure that every worker sees the session and would give the same bits as this computer."""
        here = versions()
        try:
            found = self._client.run(_look, str(session))
        except ModuleNotFoundError as error:
            raise WorkerLost(
                f"a worker of the cluster has no {error.name}", hint="install the same beamrig on all of them"
            ) from error
        for worker, (there, sees) in found.items():
            other = {name: version for name, version in there.items() if here[name] != version}
            if other:
                name, version = next(iter(other.items()))
                raise WorkerLost(
                    f"worker {worker} has {name} {version}, this computer {here[name]}",
                    hint="the same versions on all, or the results differ",
                )
            if not sees:
                raise WorkerLost(
                    f"worker {worker} does not see {session}",
                    hint="all workers must see the session under the same path",
                )


def _gone() -> WorkerLost:
    return WorkerLost(
        "the cluster went away: its scheduler is gone, or all of its workers",
        hint="what was finished stays; start them again and give the same command",
    )


def _look(session: str) -> tuple[dict[str, str], bool]:
    """Return a worker's versions, and whether it sees the session; runs on the worker."""
    return versions(), Path(session, "session.yaml").is_file()
