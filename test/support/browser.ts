import { type Browser, chromium } from "playwright-core";

/** Without a sandbox of its own, which root cannot have: it opens pages of ours only. */
export function startBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}
