import assert from "node:assert/strict";
import { test } from "node:test";

import { nextWith, pause } from "./static/replay/player.js";
import { Screen } from "./static/replay/screen.js";
import { read, readable, screenAt } from "./static/replay/terminals.js";
import { windowOf, within } from "./static/sessions/brush.js";
import { told } from "./static/sessions/news.js";

const shown = (columns, rows, ...parts) => {
  const screen = new Screen(columns, rows);
  for (const part of parts) screen.write(part);
  return screen;
};

test("text wraps, scrolls, and is overwritten as on a terminal", () => {
  assert.equal(shown(5, 3, "abcdefg").text(), "abcde\nfg");
  assert.equal(shown(9, 2, "1\r\n2\r\n3").text(), "1\n2\n3");
  assert.equal(shown(9, 2, "100%\r50").text(), "500%");
  assert.equal(shown(9, 2, "ab\b\bc").text(), "cb");
  assert.equal(shown(9, 3, "a\tb").text(), "a       b");
});

test("cursors, erasing and regions are obeyed", () => {
  assert.equal(shown(9, 3, "aaa\x1b[2;2Hb\x1b[1;1Hc").text(), "caa\n b");
  assert.equal(shown(9, 3, "abc\x1b[2D\x1b[K").text(), "a");
  assert.equal(shown(9, 3, "abc\r\ndef\x1b[2J\x1b[Hx").text(), "x");
  assert.equal(shown(9, 4, "1\r\n2\r\n3\x1b[2;3r\x1b[3;1H\nx").text(), "1\n3\nx");
  assert.equal(shown(9, 3, "one\x1b[?1049hALT").text().trim(), "ALT");
  assert.equal(shown(9, 3, "one\x1b[?1049hALT\x1b[?1049l").text(), "one");
});

test("colours become classes, and a sequence may come in pieces", () => {
  const screen = shown(20, 2, "\x1b[1;3", "1mred\x1b[0m plain \x1b[48;5;2mx");
  assert.deepEqual(screen.runs()[0], [{ text: "red", look: "c1 b" }, { text: " plain ", look: "" }, { text: "x", look: "g2" }]);
});

test("titles, links, clipboards, queries and what is broken do nothing", () => {
  const evil = "\x1b]0;title\x07\x1b]52;c;aGk=\x07\x1b]8;;javascript:alert(1)\x1b\\link\x1b]8;;\x1b\\\x1bP+q544e\x1b\\\x1b[6n\x1b[c\x1b[>c\x1b[?2004h\x9b5n";
  assert.equal(shown(20, 2, evil).text(), "link");
  assert.equal(shown(40, 2, "a\u202eb\u2066c").text(), "a\ufffdb\ufffdc");
  assert.equal(shown(20, 2, "<script>x</script>").runs()[0][0].text, "<script>x</script>");
});

test("no number and no length takes the memory", () => {
  const screen = shown(1e9, 1e9, "\x1b[999999999;999999999H\x1b[99999999L\x1b[99999999@\x1b[99999999X\x1b[99999999S\x1b[99999999T");
  screen.write("\x1b[" + "1;".repeat(100_000));
  screen.write("\x1b]0;" + "x".repeat(1_000_000));
  screen.write("\x07" + "line\r\n".repeat(20_000));
  assert.ok(screen.lines.length <= 2_500 && screen.columns <= 500);
});

test("a film is read with its silences shortened and can be seen at any time", () => {
  const lines = [{ version: 2, width: 10, height: 2 }, [0, "o", "a"], [100, "o", "b"], [100.5, "i", "x"], [101, "r", "20x5"]];
  const film = read(lines.map((line) => JSON.stringify(line)).join("\n"));
  assert.deepEqual(film.events.map((event) => event[0]), [0, 2, 2.5, 3]);
  assert.equal(screenAt(film, 1).text(), "a");
  assert.equal(screenAt(film, 3).text(), "ab");
  assert.equal(screenAt(film, 3).columns, 20);
  assert.equal(readable("ls\r\x03\u202e"), "ls^M^C\ufffd");
});

test("silences of a conversation are shortened, and jumps go round", () => {
  assert.equal(pause(0, 60_000, 1), 3_000);
  assert.equal(pause(0, 60_000, 20), 150);
  assert.equal(pause(0, 1_000, 2), 500);
  const signs = [["masked"], [], ["denied"], ["masked"]];
  assert.equal(nextWith(signs, "masked", 0, 1), 3);
  assert.equal(nextWith(signs, "masked", 3, 1), 0);
  assert.equal(nextWith(signs, "denied", 0, -1), 2);
  assert.equal(nextWith(signs, "finding", 0, 1), -1);
});

test("a window is two times in order, and news are told in words", () => {
  const [since, until] = [Date.parse("2026-11-21T00:00:00Z"), Date.parse("2026-11-22T00:00:00Z")];
  assert.deepEqual(windowOf(since, until, [0.5, 0.25]), ["2026-11-21T06:00:00Z", "2026-11-21T12:00:00Z"]);
  assert.equal(within(7), 1);
  assert.equal(told([], new Set()), "");
  assert.equal(told(["a", "b", "c"], new Set(["a"])), "2 new sessions, 1 session goes on");
});
