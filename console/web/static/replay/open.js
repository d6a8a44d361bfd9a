// Exchanges are opened where they stand: the server sends the inside of one when somebody wants to see it.

import { ask } from "../kit/live.js";
import { localise } from "../kit/times.js";
import { startTerminals } from "./terminals.js";

/** @typedef {{ open: (turn: HTMLElement) => Promise<void>, close: (turn: HTMLElement) => void }} Opening */

/** @param {HTMLElement} turn */
const insidesOf = (turn) => /** @type {HTMLElement} */ (turn.querySelector("[data-insides]"));
/** @param {HTMLElement} turn */
const linkOf = (turn) => /** @type {HTMLAnchorElement} */ (turn.querySelector("[data-open]"));

/** @param {HTMLElement} talk @returns {Opening} */
export function startOpening(talk) {
  const form = talk.dataset.form ?? "";

  /** @param {HTMLElement} turn */
  async function open(turn) {
    const insides = insidesOf(turn);
    insides.hidden = false;
    linkOf(turn).setAttribute("aria-expanded", "true");
    if ("loaded" in insides.dataset) return;
    insides.dataset.loaded = "";
    insides.setAttribute("aria-busy", "true");
    try {
      const url = new URL(linkOf(turn).href);
      url.searchParams.set("part", "1");
      if (form) url.searchParams.set("as", form);
      const part = new DOMParser().parseFromString(await (await ask(url.href)).text(), "text/html");
      insides.replaceChildren(...[...part.body.childNodes].map((node) => document.adoptNode(node)));
      localise(insides);
      startTerminals(insides);
    } catch (error) {
      delete insides.dataset.loaded;
      const again = Object.assign(document.createElement("p"), { className: "wrong", textContent: `It could not be loaded: ${/** @type {Error} */ (error).message}` });
      again.setAttribute("role", "alert");
      insides.replaceChildren(again);
    } finally {
      insides.removeAttribute("aria-busy");
    }
  }

  /** @param {HTMLElement} turn */
  function close(turn) {
    insidesOf(turn).hidden = true;
    linkOf(turn).setAttribute("aria-expanded", "false");
  }

  talk.addEventListener("click", (event) => {
    const link = /** @type {Element} */ (event.target).closest("[data-open]");
    const mouse = /** @type {MouseEvent} */ (event);
    if (!link || mouse.ctrlKey || mouse.metaKey || mouse.shiftKey) return;
    event.preventDefault();
    const turn = /** @type {HTMLElement} */ (link.closest("[data-exchange]"));
    if (insidesOf(turn).hidden) void open(turn);
    else close(turn);
  });
  startExplaining();
  startOpenAll(talk, open);
  return { open, close };
}

/** What explains a redaction stands in a closed part: following the link opens it. */
function startExplaining() {
  const show = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let up = target?.parentElement; up; up = up.parentElement) if (up instanceof HTMLDetailsElement) up.open = true;
    if (target?.closest(".marks")) target.focus();
  };
  window.addEventListener("hashchange", show);
}

/** @param {HTMLElement} talk @param {(turn: HTMLElement) => Promise<void>} open */
function startOpenAll(talk, open) {
  for (const button of document.querySelectorAll("[data-open-all]")) {
    /** @type {HTMLElement} */ (button).hidden = false;
    button.addEventListener("click", async () => {
      const inSight = [...talk.querySelectorAll("[data-exchange]")].filter((turn) => {
        const box = turn.getBoundingClientRect();
        return box.bottom > 0 && box.top < window.innerHeight;
      });
      for (const turn of inSight) await open(/** @type {HTMLElement} */ (turn));
    });
  }
}
