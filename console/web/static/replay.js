// A session again: the conversation opens by demand and plays in its own time; terminals play as terminals.

import { startOpening } from "./replay/open.js";
import { startPlayer } from "./replay/player.js";
import { startTerminals } from "./replay/terminals.js";

startTerminals(document);
const talk = /** @type {HTMLElement | null} */ (document.querySelector("[data-talk]"));
const player = /** @type {HTMLElement | null} */ (document.querySelector("[data-player]"));
if (talk) {
  const opening = startOpening(talk);
  if (player) startPlayer(player, talk, opening);
}
