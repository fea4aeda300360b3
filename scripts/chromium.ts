/** Finds the browser that the tests of the dashboard drive, or installs it where that can be done without asking. */
import { findChromium } from "../test/support/chromium.ts";
import { canInstall, install } from "./apt.ts";

const HOW_TO =
  "The tests of the dashboard need Chromium on the path: apt-get install chromium, or set TASKWIRE_TEST_CHROMIUM to the program";

/** Where it is; otherwise says how to get it. The tests of the dashboard are skipped then. */
export function ensureChromium(): string | undefined {
  if (!findChromium() && canInstall()) {
    try {
      install("chromium", HOW_TO);
    } catch (error) {
      console.error(error instanceof Error ? error.message : error);
    }
  }
  const found = findChromium();
  if (!found) console.error(HOW_TO);
  return found;
}
