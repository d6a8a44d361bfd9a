// Times: the server writes UTC, people read their own zone.

/** @type {Intl.DateTimeFormatOptions} */
const DAY = { year: "numeric", month: "short", day: "2-digit" };
/** @type {Intl.DateTimeFormatOptions} */
const CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
const STEPS = /** @type {const} */ ([
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
]);

/** The viewer's IANA zone. @returns {string} */
export function zone() {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}

/**
 * A moment as people read it.
 * @param {Date} at
 * @param {string} [style] full, time (the clock alone) or ago
 * @returns {string}
 */
export function written(at, style = "full") {
  if (style === "ago") return ago(at, Date.now());
  const options = style === "time" ? CLOCK : { ...DAY, ...CLOCK };
  return new Intl.DateTimeFormat(undefined, options).format(at);
}

/**
 * How long before (or after) now.
 * @param {Date} at
 * @param {number} now milliseconds
 * @returns {string}
 */
export function ago(at, now) {
  const seconds = Math.round((at.getTime() - now) / 1000);
  const [unit, size] = STEPS.find(([, length]) => Math.abs(seconds) >= length) ?? STEPS[3];
  return new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }).format(Math.round(seconds / size), unit);
}

/**
 * Rewrites the times below `root` in the viewer's zone; the title keeps UTC.
 * @param {ParentNode} root
 */
export function localise(root) {
  for (const element of root.querySelectorAll("time[datetime]")) {
    const time = /** @type {HTMLTimeElement} */ (element);
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.textContent = written(at, time.dataset.style);
    time.title = `${at.toISOString()} (UTC)`;
  }
}

/** Rewrites what is there, and tells the server the zone for pages to come. */
export function startTimes() {
  localise(document);
  for (const place of document.querySelectorAll("[data-zone-name]")) place.textContent = zone();
  const prefix = location.protocol === "https:" ? "__Host-" : "";
  const secure = prefix ? "; secure" : "";
  document.cookie = `${prefix}sluicegate-zone=${encodeURIComponent(zone())}; path=/; samesite=lax${secure}`;
}
