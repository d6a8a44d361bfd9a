// The list of sessions while it is open: what is new is announced and waits; the picture over time can be narrowed.

import { startBrush } from "./sessions/brush.js";
import { startNews } from "./sessions/news.js";

for (const place of document.querySelectorAll("[data-histogram]")) startBrush(/** @type {HTMLElement} */ (place));
for (const place of document.querySelectorAll("[data-live]")) startNews(/** @type {HTMLElement} */ (place));
