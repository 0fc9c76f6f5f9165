import { fromFileUrl, resolve } from "@std/path";
import { NONCE } from "../../lib/audit/receipt/receipt_kinds.ts";
import type { UnlearnWithReceiptOptions } from "../../lib/audit/receipt/unlearn_with_receipt.ts";
import { UsageError } from "../../lib/error.ts";
import { readManifest } from "../../lib/model/kit/stored_manifest.ts";
import { kitDefault } from "../../lib/run/kit_default.ts";
import { checkMethod } from "../../lib/unlearn/check_method.ts";
import { checkInput } from "../command/inputs.ts";
import type { OptionValues } from "../command/options.ts";
import { memoryChoice } from "../options/memory_options.ts";
import { methodChoice } from "../options/method_options.ts";
import type { UNLEARN_OPTIONS } from "../options/unlearn_options.ts";
import type { Terminal } from "../output/terminal.ts";

const fixture = (name: string) => fromFileUrl(new URL(`../../fixtures/${name}`, import.meta.url));

/**
 * A run's options from those of the command line; without `--kit` the sample requests mean the sample
 * kit. Nobody real is in it, so it may be used as often as one likes.
 */
export async function unlearnOptions(
  support: string,
  given: OptionValues<typeof UNLEARN_OPTIONS>,
  terminal: Terminal,
): Promise<Omit<UnlearnWithReceiptOptions, "launcher">> {
  const { identityKey, signingKey, microBatch, memoryLimit, device, kit: _, nonce, ...others } =
    given;
  const { reason, split, skipUnknown, allowTrainingPhoto, ...rest } = others;
  const { out, branch, sandbox, allowUnusualStep, matchCheck, ...method } = rest;
  const sample = given.kit === undefined && resolve(support) === resolve(fixture("requests"));
  const kit = given.kit ?? (sample ? fixture("kit") : "kit");
  terminal.print(`kit: ${kit}${sample ? " (the sample, for fixtures/requests only)" : ""}`);
  if (given.kit === undefined) await checkInput("--kit", kit, "kit");
  const { manifest } = await readManifest(kit);
  const choice = methodChoice(method, kitDefault(manifest));
  checkMethod(manifest, choice.method);
  return {
    ...{ out, branch, sandbox, skipUnknown, allowTrainingPhoto },
    ...(reason === undefined ? {} : { reason }),
    ...(split === undefined ? {} : { split }),
    kit,
    support,
    sample,
    settings: {
      ...{ microBatch, device },
      ...memoryChoice(memoryLimit === undefined ? {} : { memoryLimit }),
      ...(allowUnusualStep ? { allowUnusualStep } : {}),
      ...(matchCheck ? {} : { matchCheck }),
      choice,
    },
    ...(identityKey === undefined ? {} : { identityKey }),
    ...(signingKey === undefined ? {} : { signingKey }),
    ...(nonce === undefined ? {} : { nonce: nonceOf(nonce) }),
    onLine: (line) =>
      /^(worker|walls|skipped): /.test(line) ? terminal.print(line) : terminal.note(line),
  };
}

/** What `--nonce` gives. @throws {UsageError} it is no such bytes */
export function nonceOf(text: string): string {
  const nonce = text.toLowerCase();
  if (NONCE.accepts(nonce)) return nonce;
  throw new UsageError(
    `--nonce ${text}`,
    `it is ${NONCE.rule}`,
    "for example: openssl rand -hex 32",
  );
}
