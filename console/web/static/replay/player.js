// Plays a conversation in its own time, with long silences shortened; steps, jumps, and the line of time.

import { bind } from "../kit/keys.js";
import { announce } from "../kit/live.js";
/** @import { Opening } from "./open.js" */

const GAP_MAX_MS = 3_000;
const GAP_MIN_MS = 150;
const SIGN_KEYS = { denied: "d", held: "h", failed: "e", masked: "m", finding: "f" };

/**
 * How long to wait before the next exchange.
 * @param {number} from milliseconds @param {number} to @param {number} speed
 * @returns {number}
 */
export function pause(from, to, speed) {
  return Math.max(GAP_MIN_MS, Math.min(GAP_MAX_MS, to - from) / speed);
}

/**
 * The next one with this sign, going round at the end; -1 where none has it.
 * @param {string[][]} signs of each exchange @param {string} wanted @param {number} from @param {1 | -1} step
 */
export function nextWith(signs, wanted, from, step) {
  for (let count = 1; count <= signs.length; count += 1) {
    const at = (((from + step * count) % signs.length) + signs.length) % signs.length;
    if (signs[at].includes(wanted)) return at;
  }
  return -1;
}

/** @param {HTMLElement} place @param {HTMLElement} talk @param {Opening} opening */
export function startPlayer(place, talk, opening) {
  const turns = /** @type {HTMLElement[]} */ ([...talk.querySelectorAll("[data-exchange]")]);
  if (!turns.length) return;
  const times = turns.map((turn) => Number(turn.dataset.at));
  const signs = turns.map((turn) => (turn.dataset.signs ?? "").split(" "));
  const get = (/** @type {string} */ name) => /** @type {HTMLElement} */ (place.querySelector(`[data-${name}]`));
  const play = /** @type {HTMLButtonElement} */ (get("play"));
  const speed = /** @type {HTMLSelectElement} */ (get("speed"));
  const position = /** @type {HTMLInputElement} */ (get("position"));
  const line = place.querySelector("[data-line]");
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  let at = Math.max(0, turns.findIndex((turn) => turn.id === location.hash.slice(1)));
  let timer = 0;
  get("controls").hidden = false;

  /** @param {number} to @param {boolean} [moved] by a person, who hears where */
  function go(to, moved = true) {
    turns[at].removeAttribute("aria-current");
    at = Math.min(turns.length - 1, Math.max(0, to));
    const turn = turns[at];
    turn.setAttribute("aria-current", "step");
    position.value = String(at + 1);
    const words = `${at + 1} of ${turns.length}`;
    position.setAttribute("aria-valuetext", words);
    get("where").textContent = `Position ${words}`;
    line?.querySelector(".now")?.classList.remove("now");
    line?.querySelector(`[data-of="${turn.id}"]`)?.classList.add("now");
    void opening.open(turn).then(() => turn.scrollIntoView({ block: "nearest", behavior: still.matches ? "auto" : "smooth" }));
    if (moved) announce(`${words}: ${turn.querySelector("h2")?.textContent?.trim() ?? ""}`);
  }

  function next() {
    if (at >= turns.length - 1) return stop();
    timer = window.setTimeout(() => {
      go(at + 1, false);
      next();
    }, pause(times[at], times[at + 1], Number(speed.value)));
  }

  function stop() {
    clearTimeout(timer);
    timer = 0;
    play.textContent = "Play";
    play.setAttribute("aria-pressed", "false");
  }

  play.addEventListener("click", () => {
    if (timer) return stop();
    play.textContent = "Pause";
    play.setAttribute("aria-pressed", "true");
    go(at >= turns.length - 1 ? 0 : at);
    next();
  });
  for (const button of place.querySelectorAll("[data-step]")) {
    button.addEventListener("click", () => {
      stop();
      go(at + Number(/** @type {HTMLElement} */ (button).dataset.step));
    });
  }
  position.addEventListener("input", () => {
    stop();
    go(Number(position.value) - 1);
  });
  line?.addEventListener("click", (event) => {
    const box = line.getBoundingClientRect();
    const wanted = (/** @type {MouseEvent} */ (event).clientX - box.left) / box.width;
    stop();
    go(nearest(line, turns, wanted));
  });
  for (const [sign, key] of Object.entries(SIGN_KEYS)) {
    if (!signs.some((each) => each.includes(sign))) continue;
    for (const [bound, step, word] of /** @type {[string, 1 | -1, string][]} */ ([[key, 1, "Next"], [key.toUpperCase(), -1, "One before"]])) {
      bind(bound, `${word}: ${sign}`, () => {
        stop();
        go(nextWith(signs, sign, at, step));
        turns[at].focus();
      });
    }
  }
  window.addEventListener("hashchange", () => {
    const found = turns.findIndex((turn) => turn.id === location.hash.slice(1));
    if (found >= 0) go(found);
  });
  startAt(turns, go);
}

/** @param {HTMLElement[]} turns @param {(to: number, moved?: boolean) => void} go */
function startAt(turns, go) {
  const wanted = location.hash.slice(1);
  if (!/^[0-9a-f-]{36}$/.test(wanted)) return;
  const found = turns.findIndex((turn) => turn.id === wanted);
  if (found >= 0) go(found);
  else location.replace(`${location.pathname}/exchanges/${wanted}`); // on a later page: shown alone
}

/** @param {Element} line @param {HTMLElement[]} turns @param {number} wanted share of the width */
function nearest(line, turns, wanted) {
  const places = new Map([...line.querySelectorAll("[data-of]")].map((path) => {
    const x = Number(/^M([\d.]+)/.exec(path.getAttribute("d") ?? "")?.[1] ?? 0) / 960;
    return [/** @type {SVGElement} */ (path).dataset.of ?? "", x];
  }));
  const far = turns.map((turn) => Math.abs((places.get(turn.id) ?? 0) - wanted));
  return far.indexOf(Math.min(...far));
}
