import { guardReads, readPlainText } from "../../files/plain_file.ts";
import { LetheError } from "../../error.ts";
import { unlearnRows } from "../../run/unlearn_from_requests.ts";
import { openDevice } from "../../tensor/device.ts";
import { parseJob } from "./job.ts";

// The contained worker's entry: `deno run <permissions> unlearn_worker.ts JOB`. It reads the job, the
// requests and the kit, writes one folder, and answers with one line of JSON on standard output.
if (import.meta.main) {
  const read = guardReads();
  const [path] = Deno.args;
  const { nonce, support, kit, out, rows, hasCsv, settings } = parseJob(
    await readPlainText(path, { maxBytes: 2 ** 28 }),
    path,
  );
  const open = async () => {
    const device = await openDevice(settings.device);
    if (device.notice) console.error(device.notice);
    console.error(`device: ${device.adapter}${device.software ? " (on the CPU)" : ""}`);
    return device;
  };
  const answer = (content: unknown) => console.log(JSON.stringify({ nonce, ...content as object }));
  try {
    const { device: _, ...run } = settings;
    const summary = await unlearnRows({
      openDevice: open,
      kit,
      support,
      rows,
      files: { images: rows.map(({ file }) => file), hasCsv, partial: true },
      folder: out,
      ...run,
    });
    answer({ summary, read: read.filter((file) => file.path !== path) });
  } catch (error) {
    if (error instanceof LetheError) {
      const { value, rule, remedy, exitCode } = error;
      answer({ refused: { value, rule, remedy, exitCode } });
    } else answer({ failed: error instanceof Error ? error.message : String(error) });
    Deno.exitCode = 1;
  }
}
