// What every page has: times in the viewer's zone, and the keyboard.

import { startKeys } from "./keys.js";
import { startTimes } from "./times.js";

startTimes();
startKeys();
