// What is new in the list: asked for every few seconds, said once, shown when somebody wants it. Rows never jump.

import { announce, ask } from "../kit/live.js";
import { localise } from "../kit/times.js";

const PAUSE_MS = 5_000;
const PAUSE_MAX_MS = 60_000;

/** @param {string[]} ids @param {Set<string>} known @returns {string} in words; "" for nothing */
export function told(ids, known) {
  const fresh = ids.filter((id) => !known.has(id)).length;
  const going = ids.length - fresh;
  const parts = [];
  if (fresh) parts.push(fresh === 1 ? "1 new session" : `${fresh} new sessions`);
  if (going) parts.push(going === 1 ? "1 session goes on" : `${going} sessions go on`);
  return parts.join(", ");
}

/** @param {HTMLElement} place */
export function startNews(place) {
  const show = /** @type {HTMLButtonElement} */ (place.querySelector("[data-show-news]"));
  const pause = /** @type {HTMLButtonElement} */ (place.querySelector("[data-pause-news]"));
  let wait = PAUSE_MS;
  let timer = 0;
  let said = "";
  let paused = false;

  const again = () => {
    clearTimeout(timer);
    if (!paused && !document.hidden) timer = window.setTimeout(() => void look(), wait);
  };

  async function look() {
    const url = new URL(place.dataset.live ?? "", location.href);
    url.searchParams.set("newer", place.dataset.newest ?? "");
    try {
      const found = /** @type {{ sessions: string[] }} */ (await (await ask(url.href)).json());
      const known = new Set([...document.querySelectorAll("[data-session]")].map((row) => /** @type {HTMLElement} */ (row).dataset.session ?? ""));
      const text = told(found.sessions, known);
      show.hidden = !text;
      show.textContent = `Show ${text}`;
      if (text !== said && text) announce(text);
      said = text;
      wait = PAUSE_MS;
    } catch {
      wait = Math.min(wait * 2, PAUSE_MAX_MS); // the store or the network is away: ask less often
    }
    again();
  }

  async function renew() {
    show.disabled = true;
    try {
      const page = new DOMParser().parseFromString(await (await ask(location.href, { headers: { Accept: "text/html" } })).text(), "text/html");
      for (const selector of ["#list", ".plot svg", "#histogram-told"]) {
        const fresh = page.querySelector(selector);
        if (fresh) document.querySelector(selector)?.replaceWith(document.adoptNode(fresh));
      }
      localise(document);
      place.dataset.newest = /** @type {HTMLElement | null} */ (page.querySelector("[data-news]"))?.dataset.newest ?? place.dataset.newest;
      show.hidden = true;
      said = "";
      document.getElementById("list-title")?.setAttribute("tabindex", "-1");
      document.getElementById("list-title")?.focus();
    } catch {
      location.reload();
    } finally {
      show.disabled = false;
    }
  }

  show.addEventListener("click", () => void renew());
  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    again();
  });
  document.addEventListener("visibilitychange", again);
  again();
}
