/** The machine's name where the system shows it as a file, which needs no permission beyond reading. */
export function hostName(): string {
  for (const path of ["/proc/sys/kernel/hostname", "/etc/hostname"]) {
    try {
      const name = Deno.readTextFileSync(path).trim();
      if (name) return name;
    } catch {
      // Not this kind of system.
    }
  }
  return "";
}
