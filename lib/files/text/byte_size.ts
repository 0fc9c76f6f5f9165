const UNITS = ["KiB", "MiB", "GiB", "TiB"];

/**
 * Bytes for people, in the unit that leaves digits before the point: as `--memory-limit` takes them, and
 * precise enough that two sizes of one sentence differ where it says that one is larger.
 *
 * @param bytes zero or more
 */
export function byteSize(bytes: number): string {
  if (bytes < 1024) return `${Math.ceil(bytes)} bytes`;
  let [value, unit] = [bytes / 1024, 0];
  while (value >= 1024 && unit < UNITS.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${Number(value.toPrecision(4))} ${UNITS[unit]}`;
}
