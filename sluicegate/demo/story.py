"""What the agent tells while it works, and the counts it leaves for whoever checks the trail against them."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from mcp import Client, MCPError
from mcp.types import CallToolResult, TextContent
from rich.markup import escape

Log: TypeAlias = Callable[[str], None]
"""Takes one line in rich markup."""
PREVIEW_CHARACTERS: Final = 72
REFUSAL: Final = "sluicegate/refusal"
"""Where the `_meta` of a tool result says that the gateway refused the call, and why."""
MASKED: Final = "[masked:"


class AgentError(Exception):
    """The story could not be told as it should go. The message says what came instead."""


@dataclass(frozen=True)
class Chapter:
    """What happened in one era, as the client saw it."""

    era: str
    tools: dict[str, int]
    """Tool calls by tool, each counted once however many requests it took."""
    tool_errors: int
    protocol_errors: int
    cancelled: int
    progress: int
    elicitations: int
    received: tuple[str, ...]
    """Every text a tool answered with, for whoever looks for leaks in them."""
    person: str = ""
    """For whom the agent worked."""
    refused: int = 0
    """Calls that the gateway's policy denied or held; they are no failed ones."""
    masked: int = 0
    """Answers with something masked in them."""
    listing: tuple[str, ...] = ()
    """The tools that this person was shown."""

    @property
    def calls(self) -> int:
        """All tool calls."""
        return sum(self.tools.values())

    def __str__(self) -> str:
        counts = [
            (self.tool_errors, "failed"),
            (self.refused, "refused by policy"),
            (self.masked, "with something masked"),
            (self.cancelled, "cancelled"),
            (self.progress, "progress notifications"),
            (self.elicitations, "question to the user"),
            (self.protocol_errors, "protocol error"),
        ]
        told = ", ".join(f"{count} {what}" for count, what in counts if count)
        who = f"{self.person}, " if self.person else ""
        calls = f"{self.calls} tool call{'' if self.calls == 1 else 's'}"
        return f"{who}MCP {self.era}: {calls}" + (f" ({told})" if told else "")


@dataclass(frozen=True)
class Story:
    """The chapters in the order they happened."""

    chapters: tuple[Chapter, ...]

    @property
    def calls(self) -> int:
        """All tool calls of all chapters."""
        return sum(chapter.calls for chapter in self.chapters)

    @property
    def tools(self) -> Counter[str]:
        """Tool calls of all chapters by tool."""
        return sum((Counter(chapter.tools) for chapter in self.chapters), Counter())

    @property
    def received(self) -> tuple[str, ...]:
        """Every text a tool answered with."""
        return tuple(text for chapter in self.chapters for text in chapter.received)

    def __str__(self) -> str:
        return "\n".join(map(str, self.chapters))


class Teller:
    """Makes the calls of one chapter, tells them and counts. `refusals` are the reasons policy gave, in order."""

    def __init__(self, era: str, log: Log, person: str = "") -> None:
        self._era, self._log, self.person = era, log, person
        self.refusals: list[str] = []
        self.listing: tuple[str, ...] = ()
        self._tools: Counter[str] = Counter()
        self._counts: Counter[str] = Counter()
        self._received: list[str] = []

    async def call(self, client: Client, tool: str, show: str = "", **arguments: Any) -> str:
        """Call a tool, tell about it with the line of the answer that has `show` in it, and return its text."""
        result = await self.result(client, tool, **arguments)
        text = _text(result)
        mark = "[red]⊘[/]" if _refusal(result) else "[red]✗[/]" if result.is_error else "[green]✓[/]"
        given = " ".join(f"{value}" for value in arguments.values())
        said = _without_id(text) if _refusal(result) else _preview(text, show)
        self._log(f"  {mark} [bold]{tool}[/] {escape(given)}  [dim]{escape(said)}[/]")
        return text

    async def result(self, client: Client, tool: str, **arguments: Any) -> CallToolResult:
        """Call a tool and count it, without telling."""
        self._tools[tool] += 1
        result = await client.call_tool(tool, arguments, progress_callback=self._on_progress)
        if refusal := _refusal(result):
            self.refusals.append(refusal)
        else:
            self._counts["tool_errors"] += bool(result.is_error)
        self._counts["masked"] += MASKED in _text(result)
        self._received.append(_text(result))
        return result

    async def tools(self, client: Client, others: tuple[str, ...] = ()) -> None:
        """List the tools, and tell which of those that others are shown this person is not."""
        listing = await client.list_tools()
        self.listing = tuple(tool.name for tool in listing.tools)
        hidden = [name for name in others if name not in self.listing]
        self.listed("tools", len(self.listing))
        if hidden:
            self._log(f"  [red]⊘[/] not shown: {escape(', '.join(hidden))}")

    def heading(self, text: str) -> None:
        """Begin the chapter."""
        self._log(f"[bold cyan]{escape(text)}[/]")

    def listed(self, what: str, count: int) -> None:
        """Tell about a list, a prompt or a resource that was read."""
        self._log(f"  [green]✓[/] {escape(what)}  [dim]{count}[/]")

    def asked(self, question: str) -> None:
        """The server asked the user something."""
        self._counts["elicitations"] += 1
        self._log(f"  [yellow]?[/] {escape(question)}  [dim]the user says yes[/]")

    def refused(self, what: str, error: MCPError) -> None:
        """A request was answered with a JSON-RPC error."""
        self._counts["protocol_errors"] += 1
        self._log(f"  [red]✗[/] {escape(what)}  [dim]{error.code} {escape(_preview(error.message))}[/]")

    def cancelled(self, tool: str) -> None:
        """The agent cancelled a call on its way."""
        self._tools[tool] += 1
        self._counts["cancelled"] += 1
        self._log(f"  [yellow]■[/] [bold]{tool}[/]  [dim]cancelled by the agent[/]")

    def chapter(self) -> Chapter:
        """The counts so far."""
        return Chapter(
            era=self._era,
            tools=dict(self._tools),
            tool_errors=self._counts["tool_errors"],
            protocol_errors=self._counts["protocol_errors"],
            cancelled=self._counts["cancelled"],
            progress=self._counts["progress"],
            elicitations=self._counts["elicitations"],
            received=tuple(self._received),
            person=self.person,
            refused=len(self.refusals),
            masked=self._counts["masked"],
            listing=self.listing,
        )

    async def _on_progress(self, progress: float, total: float | None, message: str | None) -> None:
        del progress, total, message  # only how many there are is told
        self._counts["progress"] += 1


def _text(result: CallToolResult) -> str:
    return "\n".join(item.text for item in result.content if isinstance(item, TextContent))


def _refusal(result: CallToolResult) -> str:
    """The reason code of the gateway's policy; '' for an answer of the server."""
    said = (result.meta or {}).get(REFUSAL)
    return str(said.get("reason", "")) if isinstance(said, dict) else ""


def _without_id(text: str) -> str:
    """What policy said, without the id of the exchange, by which one asks about it."""
    return text.partition(" Exchange ")[0]


def _preview(text: str, show: str = "") -> str:
    """One line of `text`, shortened: the first with `show` in it, else the last, where logs and errors say most."""
    lines = text.strip().split("\n")
    line = next((line for line in lines if show and show in line), lines[-1]).strip()
    return line if len(line) <= PREVIEW_CHARACTERS else line[: PREVIEW_CHARACTERS - 1] + "…"
