import type { Samples } from "../../data/sample.ts";
import type { Model } from "../../model/checkpoint.ts";
import type { StepLog } from "../../model/training_step/step_log.ts";
import type { StepSettings } from "../../model/training_step/training_step.ts";
import type { Weights } from "../../tensor/weights.ts";
import { LoggedUpdates } from "../../unlearn/compared/logged_updates.ts";
import { updatesFolder, writeUpdates } from "../memory/stored_updates.ts";
import { checkLogSize, keepUpdates, loadUpdates, saveUpdates } from "../memory/update_state.ts";

/** Everybody's updates while a model is trained, kept beside the run's own state. */
export interface UpdatesLog {
  readonly log: StepLog;
  /** Keeps what was logged up to an epoch; before the state, which names the epoch that both go on from. */
  save(epoch: number): Promise<void>;
  /** Removes what was logged up to other epochs. */
  keep(epochs: readonly number[]): Promise<void>;
  /** Goes back to what was logged up to an epoch that is kept. */
  load(epoch: number): Promise<void>;
  /** Writes the folder of updates beside the model, removes what was kept, and ends the log. */
  finish(out: string, model: Model, splitHash: string, rank: number | null): Promise<void>;
}

/**
 * Opens a log of everybody's updates, as far as a stopped run had come.
 *
 * @param statePath where the run's state lies; the log's lies beside it
 * @param epochsDone of the stopped run; 0 for a new one
 * @throws {LetheError} it does not fit the memory, or what a stopped run left is damaged
 */
export async function openUpdatesLog(
  settings: StepSettings,
  initial: Weights,
  samples: Samples,
  statePath: string,
  epochsDone: number,
): Promise<UpdatesLog> {
  const people = [...new Set(samples.map(({ identity }) => identity))].sort();
  const weights = Object.values(initial).reduce((sum, { size }) => sum + size, 0);
  checkLogSize(people.length, weights);
  const rowOf = new Map(people.map((identity, row) => [identity, row]));
  const owners = samples.map(({ identity }) => rowOf.get(identity)!);
  const log = new LoggedUpdates(settings, initial, owners, people.length);
  const folder = `${statePath}.updates`;
  const load = (epoch: number) => loadUpdates(folder, epoch, log.people);
  if (epochsDone > 0) await load(epochsDone);
  return {
    log,
    save: (epoch) => saveUpdates(folder, epoch, log.people),
    keep: (epochs) => keepUpdates(folder, epochs),
    load,
    async finish(out, model, splitHash, rank) {
      const updates = updatesFolder(out);
      // Of this run, had it been stopped between the two.
      await Deno.remove(updates, { recursive: true }).catch(() => {});
      const rows = log.people.map(({ update }) => update);
      await writeUpdates(updates, model, splitHash, rank, people, rows);
      await Deno.remove(folder, { recursive: true });
      log.dispose();
    },
  };
}
