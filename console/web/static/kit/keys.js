// The keyboard: links and buttons say their own keys (data-key="g s"), modules bind further ones, `?` lists them all.

/** @typedef {{ keys: string, label: string, act: () => void }} Shortcut */

/** @type {Map<string, Shortcut>} */
const bound = new Map();
let pressed = "";
let forget = 0;

/**
 * Binds keys, one after the other with a space between ("g s"). A later binding takes the place of an earlier one.
 * @param {string} keys
 * @param {string} label for the help sheet
 * @param {() => void} act
 * @returns {() => void} takes it back
 */
export function bind(keys, label, act) {
  const shortcut = { keys, label, act };
  bound.set(keys, shortcut);
  return () => void (bound.get(keys) === shortcut && bound.delete(keys));
}

/**
 * Whether keys go into a field, and are no shortcut.
 * @param {EventTarget | null} target
 */
function typing(target) {
  if (!(target instanceof HTMLElement)) return false;
  const quiet = target instanceof HTMLInputElement && ["checkbox", "radio", "button"].includes(target.type);
  return target.isContentEditable || (!quiet && target.matches("input, textarea, select"));
}

/** @param {KeyboardEvent} event */
function heard(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
  if (typing(event.target)) {
    if (event.key === "Escape") /** @type {HTMLElement} */ (event.target).blur();
    return;
  }
  if (document.querySelector("dialog[open]")) return;
  const keys = pressed ? `${pressed} ${event.key}` : event.key;
  const found = bound.get(keys) ?? bound.get(event.key);
  clearTimeout(forget);
  pressed = "";
  if (found) {
    event.preventDefault();
    found.act();
  } else if ([...bound.keys()].some((each) => each.startsWith(`${event.key} `))) {
    pressed = event.key;
    forget = window.setTimeout(() => (pressed = ""), 1_500);
  }
}

/** The elements that name their own keys. */
function bindNamed() {
  for (const element of document.querySelectorAll("[data-key]")) {
    const named = /** @type {HTMLElement} */ (element);
    const label = named.getAttribute("aria-label") ?? named.textContent?.trim() ?? "";
    bind(named.dataset.key ?? "", label, () => named.click());
    named.setAttribute("aria-keyshortcuts", named.dataset.key ?? "");
  }
}

/**
 * Goes through the rows that lead somewhere (`tr[data-href]`).
 * @param {number} step
 */
function walk(step) {
  const rows = [...document.querySelectorAll("tr[data-href]")];
  if (!rows.length) return;
  const at = rows.findIndex((row) => row.classList.contains("at"));
  const next = rows[Math.min(rows.length - 1, Math.max(0, at + step))];
  rows[at]?.classList.remove("at");
  next.classList.add("at");
  next.scrollIntoView({ block: "nearest" });
  /** @type {HTMLElement | null} */ (next.querySelector("a, button"))?.focus();
}

function open() {
  const row = /** @type {HTMLElement | null} */ (document.querySelector("tr.at[data-href]"));
  if (row?.dataset.href) location.assign(row.dataset.href);
}

/** The sheet of all shortcuts of this page. */
export function showHelp() {
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-labelledby", "keys-title");
  const title = Object.assign(document.createElement("h2"), { id: "keys-title", textContent: "Keyboard" });
  const list = Object.assign(document.createElement("dl"), { className: "keys" });
  for (const { keys, label } of bound.values()) {
    const term = document.createElement("dt");
    for (const key of keys.split(" ")) {
      term.append(Object.assign(document.createElement("kbd"), { textContent: key }), " ");
    }
    list.append(term, Object.assign(document.createElement("dd"), { textContent: label }));
  }
  const close = Object.assign(document.createElement("button"), { textContent: "Close", type: "button" });
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  dialog.append(title, list, close);
  document.body.append(dialog);
  dialog.showModal();
}

/** Listens, with what every page has. */
export function startKeys() {
  bindNamed();
  bind("?", "Show this sheet", showHelp);
  bind("/", "Search or filter", () => {
    const fields = "form[role=search] input[type=search], form[role=search] input:not([type=hidden])";
    /** @type {HTMLElement | null} */ (document.querySelector(fields))?.focus();
  });
  if (document.querySelector("tr[data-href]")) {
    bind("j", "Next row", () => walk(1));
    bind("k", "Row before", () => walk(-1));
    bind("Enter", "Open the row", open);
  }
  document.addEventListener("keydown", heard);
  for (const button of document.querySelectorAll("[data-help]")) {
    button.removeAttribute("hidden");
    button.addEventListener("click", showHelp);
  }
}
