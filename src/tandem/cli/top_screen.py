"""The screen of `tandem top`."""

from collections.abc import Awaitable, Callable
from typing import ClassVar, Final

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import Footer, Static

from tandem.cli.screen import summary
from tandem.cli.top_text import (
    counters_text,
    evaluators_text,
    latencies_text,
    persons_text,
    slots_text,
)
from tandem.domain.errors import CoordinatorUnreachableError
from tandem.domain.halting import EvaluatorsView
from tandem.domain.views import StatusView

EVERY_S: Final = 0.5
TITLES: Final = {
    "slots": "slots and workers",
    "latencies": "how long things took",
    "evaluators": "who evaluates strategies",
    "persons": "unknown",
    "counters": "counted",
}


class Top(App[None]):
    """Asks for the pool's status again and again, and shows it; changes nothing.

    `evaluators` is asked who evaluates strategies, when anybody does.
    """

    CSS = """
    #summary { height: auto; padding: 0 1; background: $panel; }
    VerticalScroll > Static { height: auto; border: round $primary; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [("q", "quit", "Quit"), ("p", "pause", "Pause")]
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self,
        ask: Callable[[], Awaitable[StatusView]],
        evaluators: Callable[[], Awaitable[EvaluatorsView | None]],
    ) -> None:
        super().__init__()
        self._ask = ask
        self._evaluators = evaluators
        self._is_paused = False
        self._head = "asking"

    def compose(self) -> ComposeResult:
        """Yield the panes, from top to bottom."""
        yield Static(id="summary", markup=False)
        with VerticalScroll():
            for name in TITLES:
                yield Static(id=name, markup=False)
        yield Footer()

    async def on_mount(self) -> None:
        """Begin to ask."""
        for name, title in TITLES.items():
            self._pane(name).border_title = title
        self.set_interval(EVERY_S, self.look)
        await self.look()

    async def look(self) -> None:
        """Ask once and show the answer; what was shown stays while there is none."""
        if self._is_paused:
            return
        try:
            status = await self._ask()
        except CoordinatorUnreachableError:
            self._say("the coordinator does not answer")
            return
        view = await self._evaluators()
        if not self._is_paused:
            self._show(status, view)

    def action_pause(self) -> None:
        """Stand still, or go on."""
        self._is_paused = not self._is_paused
        self._say(self._head)

    def _show(self, status: StatusView, view: EvaluatorsView | None) -> None:
        counters = counters_text(status.counters.items(), width=self.size.width - 8)
        texts = {
            "slots": slots_text(status),
            "latencies": latencies_text(status.latencies),
            "evaluators": evaluators_text(view),
            "persons": persons_text(status),
            "counters": counters,
        }
        for name, text in texts.items():
            self._pane(name).update(text.rstrip("\n"))
        self._say(f"{summary(status)}, {status.records} records")

    def _say(self, head: str) -> None:
        self._head = head
        self._pane("summary").update(f"paused: {head}" if self._is_paused else head)

    def _pane(self, name: str) -> Static:
        return self.query_one(f"#{name}", Static)
