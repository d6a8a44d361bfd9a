// Keeps the inbox and the page of an approval as they stand, counts down, and opens the dialogs of a decision.
// Without this script the links lead to pages that do the same.

import { bind } from "./kit/keys.js";
import { announce, ask, follow } from "./kit/live.js";
import { localise, written } from "./kit/times.js";

const SOON_SECONDS = 120;
const REST_MS = 250;

/** @typedef {{ id: string, state: string, waits: boolean, call: string, connection: string }} Change */

const root = /** @type {HTMLElement | null} */ (document.querySelector("[data-live]"));
const place = root?.dataset.id ? `/approvals/${root.dataset.id}` : location.pathname + location.search;
let asked = 0;

/** What is left, in words. @param {number} seconds @returns {string} */
export function left(seconds) {
  if (seconds <= 0) return "now";
  const parts = [Math.floor(seconds / 86_400), Math.floor(seconds / 3_600) % 24, Math.floor(seconds / 60) % 60, seconds % 60];
  const names = ["d", "h", "min", "s"];
  const first = parts.findIndex((part) => part > 0);
  return `in ${parts.slice(first, first + 2).map((part, at) => `${part} ${names[first + at]}`).join(" ")}`;
}

/** Counts down where something ends by itself. */
function count() {
  for (const each of document.querySelectorAll("[data-ends]")) {
    const place = /** @type {HTMLElement} */ (each);
    const at = new Date(place.dataset.ends ?? "");
    const seconds = Math.floor((at.getTime() - Date.now()) / 1000);
    if (Number.isNaN(seconds)) continue;
    place.textContent = left(seconds);
    place.title = written(at);
    place.classList.toggle("soon", seconds < SOON_SECONDS);
  }
}

/** Takes over the parts of the page as the server has them now; what is being written stays. */
async function renew() {
  const answer = await ask(place, { headers: { accept: "text/html" } });
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const writing = document.querySelector("dialog[open]");
  for (const old of document.querySelectorAll("[data-part]")) {
    const name = /** @type {HTMLElement} */ (old).dataset.part;
    const next = fresh.querySelector(`[data-part="${name}"]`);
    if (!next || (writing && old.contains(writing))) continue;
    const focused = document.activeElement instanceof HTMLAnchorElement ? document.activeElement.getAttribute("href") : null;
    const inside = old.contains(document.activeElement);
    old.replaceWith(document.adoptNode(next));
    localise(next);
    if (inside && focused) /** @type {HTMLElement | null} */ (next.querySelector(`a[href="${CSS.escape(focused)}"]`))?.focus();
  }
  document.title = fresh.title;
  count();
  bindKeys();
}

/** The keys of a decision press what is on the page now, not what news has taken off it. */
function bindKeys() {
  for (const verb of ["approve", "deny"]) {
    const button = () => /** @type {HTMLElement | null} */ (document.querySelector(`[data-decide="${verb}"]`));
    if (button()) bind(verb[0], verb, () => button()?.click());
  }
}

/** One question for many changes. */
function soon() {
  clearTimeout(asked);
  asked = window.setTimeout(() => void renew().catch(() => tell("News could not be loaded; reload the page")), REST_MS);
}

/** @param {string} text */
function tell(text) {
  for (const place of document.querySelectorAll("[data-feed]")) place.textContent = text;
}

/** @param {Change} change */
function changed(change) {
  if (root?.dataset.live === "approval") {
    if (change.id !== root.dataset.id) return;
    const before = /** @type {HTMLElement | null} */ (root.querySelector("[data-part=standing]"))?.dataset.state ?? "";
    if (!before.startsWith(change.state)) {
      announce(`This approval is ${change.state} now`, true);
      warn(change.state);
    }
  } else if (change.waits) {
    announce(`${change.call || "Something"} on ${change.connection} waits for you`);
  }
  soon();
}

/** In an open dialog, whoever writes is told that somebody was faster. @param {string} state */
function warn(state) {
  const dialog = document.querySelector("dialog[open]");
  if (!dialog || dialog.querySelector(".meanwhile")) return;
  const text = Object.assign(document.createElement("p"), { className: "wrong meanwhile", textContent: `Meanwhile it is ${state}.` });
  dialog.prepend(text);
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const link = /** @type {HTMLElement | null} */ (target?.closest("[data-decide]") ?? null);
  const dialog = link && document.getElementById(`decide-${link.dataset.decide}`);
  if (dialog instanceof HTMLDialogElement) {
    event.preventDefault();
    dialog.showModal();
  }
  if (target?.closest("[data-close]")) target.closest("dialog")?.close();
});

document.addEventListener("keydown", (event) => {
  const form = event.target instanceof HTMLTextAreaElement ? event.target.form : null;
  if (form?.classList.contains("decision") && event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});

document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (!form.classList.contains("decision")) return;
  for (const button of form.querySelectorAll("button[type=submit]")) button.setAttribute("aria-disabled", "true");
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "1";
});

if (root) {
  history.replaceState(null, "", place); // a decision that did not count is not sent again by a reload
  count();
  bindKeys();
  const filter = document.querySelector("details.folded");
  if (filter instanceof HTMLDetailsElement && matchMedia("(min-width: 40rem)").matches) filter.open = true;
  window.setInterval(count, 1_000);
  follow("/approvals/events", {
    open: () => tell("Live"),
    cut: () => tell("The connection is cut; it is tried again"),
    approval: changed,
  });
}
