// What changes while a page is open: told to screen readers, read as server-sent events, asked for, sent.

/**
 * Says something to whoever listens to the screen.
 * @param {string} text
 * @param {boolean} [urgent]
 */
export function announce(text, urgent = false) {
  const place = document.getElementById(urgent ? "alarm" : "live");
  if (place) place.textContent = text;
}

/**
 * Follows a feed; the browser comes back by itself where it is cut.
 * @param {string} url
 * @param {Record<string, (data: any) => void>} handlers by the event's name; `open` and `cut` tell of the connection
 * @returns {EventSource}
 */
export function follow(url, handlers) {
  const source = new EventSource(url);
  source.addEventListener("open", () => handlers.open?.(null));
  source.addEventListener("error", () => {
    handlers.cut?.(null);
    if (source.readyState === EventSource.CLOSED) void stillIn();
  });
  for (const [name, handler] of Object.entries(handlers)) {
    if (name === "open" || name === "cut") continue;
    source.addEventListener(name, (event) => handler(JSON.parse(/** @type {MessageEvent<string>} */ (event).data)));
  }
  window.addEventListener("pagehide", () => source.close());
  return source;
}

/**
 * Asks for a part of a page. Whoever is logged out goes to the login.
 * @param {string} url
 * @param {RequestInit} [options]
 * @returns {Promise<Response>} of status 200
 */
export async function ask(url, options = {}) {
  const answer = await fetch(url, { credentials: "same-origin", redirect: "error", ...options });
  if (answer.status === 401) goToLogin();
  if (!answer.ok) throw new Error((await answer.text()).trim() || `${answer.status}`);
  return answer;
}

/**
 * Sends a form's fields as the form itself would.
 * @param {HTMLFormElement} form
 * @param {Record<string, string>} [more]
 * @returns {Promise<Response>}
 */
export function send(form, more = {}) {
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string") fields.set(name, value);
  for (const [name, value] of Object.entries(more)) fields.set(name, value);
  return ask(form.getAttribute("action") ?? location.pathname, { method: "POST", body: fields });
}

/** Goes to the login, and back here after it. */
export function goToLogin() {
  location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

/** A feed that is refused for good may be a login that ended. */
async function stillIn() {
  const answer = await fetch("/me", { credentials: "same-origin", redirect: "manual" }).catch(() => null);
  if (answer?.status === 401) goToLogin();
}
