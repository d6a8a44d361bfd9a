// Plays recorded terminals from their films (asciicast): play, pause, seek, speed. Long silences are shortened.

import { announce, ask } from "../kit/live.js";
import { Screen } from "./screen.js";

const SILENCE_MAX = 2;
const EVENTS_MAX = 50_000;
/** @typedef {[number, string, string]} Event seconds, kind (o: shown, i: typed, r: resized), text */
/** @typedef {{ columns: number, rows: number, events: Event[], cut: boolean }} Film */

/** @param {string} text lines of an asciicast @returns {Film} with silences shortened */
export function read(text) {
  const [head, ...lines] = text.split("\n").filter(Boolean);
  const told = head ? JSON.parse(head) : { width: 80, height: 24 };
  /** @type {Event[]} */
  const events = [];
  let before = 0;
  let now = 0;
  for (const line of lines.slice(0, EVENTS_MAX)) {
    const [at, kind, what] = /** @type {Event} */ (JSON.parse(line));
    now += Math.min(SILENCE_MAX, Math.max(0, at - before));
    before = at;
    events.push([now, kind, String(what)]);
  }
  return { columns: told.width, rows: told.height, events, cut: lines.length > EVENTS_MAX };
}

/** The screen after all events up to a time. @param {Film} film @param {number} until seconds */
export function screenAt(film, until) {
  const screen = new Screen(film.columns, film.rows);
  for (const event of film.events) {
    if (event[0] > until) break;
    apply(screen, event);
  }
  return screen;
}

/** @param {Screen} screen @param {Event} event */
function apply(screen, [, kind, what]) {
  if (kind === "o") screen.write(what);
  const size = kind === "r" && /^(\d+)x(\d+)$/.exec(what);
  if (size) screen.resize(Number(size[1]), Number(size[2]));
}

/** @param {ParentNode} root */
export function startTerminals(root) {
  for (const place of root.querySelectorAll("[data-terminal]")) offer(/** @type {HTMLElement} */ (place));
}

/** A button first: a film is loaded, and its view recorded, when somebody wants to see it. @param {HTMLElement} place */
function offer(place) {
  const holder = /** @type {HTMLElement} */ (place.querySelector("[data-terminal-player]"));
  if (holder.childElementCount) return;
  const load = Object.assign(document.createElement("button"), { type: "button", className: "main", textContent: "Play as a terminal" });
  holder.append(load);
  holder.hidden = false;
  load.addEventListener("click", async () => {
    load.disabled = true;
    try {
      const film = read(await (await ask(place.dataset.terminal ?? "")).text());
      const text = place.querySelector("[data-terminal-text]");
      if (text instanceof HTMLDetailsElement) text.open = false;
      holder.replaceChildren(...player(film));
      /** @type {HTMLElement} */ (holder.querySelector("button")).click();
    } catch (error) {
      announce(`The terminal could not be loaded: ${/** @type {Error} */ (error).message}`, true);
      load.disabled = false;
    }
  });
}

/** @param {Film} film @returns {HTMLElement[]} */
function player(film) {
  const length = film.events.length ? film.events[film.events.length - 1][0] : 0;
  const shown = Object.assign(document.createElement("pre"), { className: "screen", tabIndex: 0 });
  shown.setAttribute("aria-label", "Screen of the terminal");
  const row = Object.assign(document.createElement("div"), { className: "row" });
  const play = Object.assign(document.createElement("button"), { type: "button", textContent: "Play" });
  const speed = document.createElement("select");
  speed.setAttribute("aria-label", "Speed of the terminal");
  for (const each of ["0.5", "1", "2", "4", "8"]) speed.append(new Option(`${each}×`, each, each === "1", each === "1"));
  const seek = Object.assign(document.createElement("input"), { type: "range", min: "0", max: String(length), step: "0.1", value: "0" });
  seek.setAttribute("aria-label", "Time in the terminal");
  const typed = Object.assign(document.createElement("span"), { className: "soft mono" });
  row.append(play, speed, seek, typed);
  let screen = new Screen(film.columns, film.rows);
  let index = 0;
  let now = 0;
  let frame = 0;
  let last = 0;

  const draw = () => {
    paint(shown, screen);
    seek.value = String(now);
    seek.setAttribute("aria-valuetext", `${now.toFixed(1)} of ${length.toFixed(1)} seconds`);
  };
  /** @param {number} until */
  const advance = (until) => {
    now = Math.min(length, until);
    for (; index < film.events.length && film.events[index][0] <= now; index += 1) {
      apply(screen, film.events[index]);
      if (film.events[index][1] === "i") typed.textContent = `typed: ${readable(film.events[index][2])}`;
    }
  };
  /** @param {number} at */
  const tick = (at) => {
    advance(now + ((at - last) / 1000) * Number(speed.value));
    last = at;
    draw();
    if (now < length) frame = requestAnimationFrame(tick);
    else stop();
  };
  const stop = () => {
    cancelAnimationFrame(frame);
    frame = 0;
    play.textContent = "Play";
  };
  /** @param {number} at */
  const jump = (at) => {
    screen = new Screen(film.columns, film.rows);
    index = 0;
    advance(at);
    draw();
  };
  play.addEventListener("click", () => {
    if (frame) return stop();
    if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) return jump(length); // the end, at once
    if (now >= length) jump(0);
    play.textContent = "Pause";
    last = performance.now();
    frame = requestAnimationFrame(tick);
  });
  seek.addEventListener("input", () => {
    stop();
    jump(Number(seek.value));
  });
  draw();
  return [row, shown];
}

/** Keys as they are named; never what they do. @param {string} text */
export function readable(text) {
  return text.slice(0, 80).replace(/[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, (sign) => {
    const code = sign.codePointAt(0) ?? 0;
    return code < 0x20 ? `^${String.fromCodePoint(0x40 + code)}` : code === 0x7f ? "^?" : "\ufffd";
  });
}

/** Text and classes alone. @param {HTMLElement} place @param {Screen} screen */
function paint(place, screen) {
  const nodes = [];
  for (const line of screen.runs()) {
    for (const run of line) {
      const span = Object.assign(document.createElement("span"), { className: run.look, textContent: run.text });
      nodes.push(run.look ? span : document.createTextNode(run.text));
    }
    nodes.push(document.createTextNode("\n"));
  }
  place.replaceChildren(...nodes);
  place.scrollTop = place.scrollHeight;
}
