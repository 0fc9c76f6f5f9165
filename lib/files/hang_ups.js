// Plain JavaScript: the stub that starts launchers needs it, see lib/audit/sandbox/private_cache.js.
import { fstatSync } from "node:fs";

/** The device number of /dev/null on Linux. */
const NULL_DEVICE = 0x103;

/**
 * Whether the command runs under `nohup`, which must stay so. Deno cannot ask how a signal is handled,
 * but GNU's nohup leaves a mark: standard input is /dev/null, opened for writing only.
 *
 * @returns {boolean}
 */
export function hangUpsIgnored() {
  if (Deno.build.os !== "linux") return false;
  try {
    const input = fstatSync(0);
    if (!input.isCharacterDevice() || input.rdev !== NULL_DEVICE) return false;
  } catch {
    return false; // standard input is closed
  }
  try {
    Deno.stdin.readSync(new Uint8Array(1)); // of /dev/null: its end, at once
    return false;
  } catch {
    return true;
  }
}
