/** Installs programs that the tests need, where that can be done without asking. */
import { execFileSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";

export function canInstall(): boolean {
  return process.getuid?.() === 0 && existsSync("/usr/bin/apt-get");
}

/** Debian starts what it installs, unless this file says no. The tests start servers of their own. */
const POLICY = "/usr/sbin/policy-rc.d";

/** @throws a sentence that ends with how to do it by hand */
export function install(name: string, howTo: string): void {
  console.error(`test: installing ${name} ...`);
  const ownsPolicy = !existsSync(POLICY);
  if (ownsPolicy) writeFileSync(POLICY, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    apt("update");
    apt("install", "-y", "--no-install-recommends", name);
  } catch (cause) {
    throw new Error(`apt-get could not install ${name}. ${howTo}`, { cause });
  } finally {
    if (ownsPolicy) rmSync(POLICY, { force: true });
  }
}

function apt(...args: string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  execFileSync("apt-get", ["-qq", ...args], { env, stdio: ["ignore", "ignore", "inherit"] });
}
