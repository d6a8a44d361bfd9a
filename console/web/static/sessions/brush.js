// A part of the picture is chosen by mouse, finger or keyboard, and the list narrowed to it. Two sliders hold the ends.

import { written } from "../kit/times.js";

const STEPS = 48;

/** @param {number} share @returns {number} within the picture */
export const within = (share) => Math.min(1, Math.max(0, share));

/**
 * The chosen window as an address has it.
 * @param {number} since milliseconds @param {number} until milliseconds @param {[number, number]} ends shares
 * @returns {[string, string]}
 */
export function windowOf(since, until, ends) {
  const [low, high] = ends[0] <= ends[1] ? ends : [ends[1], ends[0]];
  const at = (/** @type {number} */ share) => new Date(Math.round((since + share * (until - since)) / 1000) * 1000);
  return [at(low), at(high)].map((each) => each.toISOString().replace(".000Z", "Z")).slice(0, 2);
}

/** @param {HTMLElement} place */
export function startBrush(place) {
  const plot = /** @type {HTMLElement} */ (place.querySelector(".plot"));
  const form = /** @type {HTMLFormElement} */ (place.querySelector("[data-brush]"));
  const words = /** @type {HTMLElement} */ (place.querySelector("[data-brush-told]"));
  const since = Date.parse(place.dataset.since ?? "");
  const until = Date.parse(place.dataset.until ?? "");
  if (!(until > since)) return;
  /** @type {[number, number]} */
  let ends = [0, 1];
  let drawn = -1;
  const chosen = Object.assign(document.createElement("div"), { className: "chosen", hidden: true });
  const handles = ["Beginning of the time", "End of the time"].map((label, at) => handle(label, at));
  plot.append(chosen, ...handles);

  /** @param {string} label @param {number} at */
  function handle(label, at) {
    const element = Object.assign(document.createElement("div"), { className: "handle", tabIndex: 0 });
    element.setAttribute("role", "slider");
    element.setAttribute("aria-label", label);
    element.setAttribute("aria-valuemin", "0");
    element.setAttribute("aria-valuemax", String(STEPS));
    element.addEventListener("keydown", (event) => pressed(event, at));
    return element;
  }

  function draw() {
    const [low, high] = ends[0] <= ends[1] ? ends : [ends[1], ends[0]];
    const whole = low === 0 && high === 1;
    chosen.hidden = form.hidden = whole;
    chosen.style.left = `${low * 100}%`;
    chosen.style.width = `${(high - low) * 100}%`;
    handles.forEach((element, at) => {
      element.style.left = `${ends[at] * 100}%`;
      element.setAttribute("aria-valuenow", String(Math.round(ends[at] * STEPS)));
      element.setAttribute("aria-valuetext", written(new Date(since + ends[at] * (until - since))));
    });
    const [from, to] = windowOf(since, until, ends);
    words.textContent = whole ? "" : `${written(new Date(from))} – ${written(new Date(to))}`;
  }

  /** @param {KeyboardEvent} event @param {number} at */
  function pressed(event, at) {
    const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -6, PageUp: 6 };
    const step = /** @type {Record<string, number>} */ (steps)[event.key];
    if (step) ends[at] = within(ends[at] + step / STEPS);
    else if (event.key === "Home") ends[at] = 0;
    else if (event.key === "End") ends[at] = 1;
    else if (event.key === "Enter") narrow();
    else if (event.key === "Escape") ends = [0, 1];
    else return;
    event.preventDefault();
    event.stopPropagation();
    draw();
  }

  /** @param {PointerEvent} event */
  const share = (event) => within((event.clientX - plot.getBoundingClientRect().left) / plot.clientWidth);

  plot.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const held = handles.indexOf(/** @type {HTMLDivElement} */ (event.target));
    drawn = held >= 0 ? held : 1;
    if (held < 0) ends = [share(event), share(event)];
    plot.setPointerCapture(event.pointerId);
  });
  plot.addEventListener("pointermove", (event) => {
    if (drawn < 0) return;
    ends[drawn] = share(event);
    draw();
  });
  for (const name of ["pointerup", "pointercancel"]) {
    plot.addEventListener(name, () => {
      if (drawn >= 0 && Math.abs(ends[0] - ends[1]) < 0.005) ends = [0, 1]; // a click, or a finger that scrolls
      drawn = -1;
      draw();
    });
  }

  function narrow() {
    const [from, to] = windowOf(since, until, ends);
    const query = new URLSearchParams(place.dataset.address);
    query.set("since", from);
    query.set("until", to);
    if (from < to) location.assign(`/sessions?${query}`);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    narrow();
  });
  form.addEventListener("reset", () => {
    ends = [0, 1];
    draw();
  });
  draw();
}
