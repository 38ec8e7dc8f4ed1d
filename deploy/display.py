"""Progress on the terminal: moving bars where there is one, else a line when a step begins and one when it is done."""

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn


class Display:
    """Call it with a step, how much is done and how much there is, as often as wanted."""

    def __init__(self) -> None:
        self._console = Console()
        self._bars = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description:<14}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "Display":
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._bars.stop()

    def __call__(self, step: str, done: int, total: int) -> None:
        new = step not in self._tasks
        if new:
            self._tasks[step] = self._bars.add_task(step, total=total)
        finished = self._bars.tasks[self._tasks[step]].finished
        self._bars.update(self._tasks[step], completed=done, total=total)
        if not self._console.is_terminal and (new or (done == total and not finished)):
            print(f"{step}: {done} of {total}", flush=True)
