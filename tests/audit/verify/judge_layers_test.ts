import { assertEquals, assertStringIncludes } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { LAYERS } from "../../../lib/audit/layers/layer.ts";
import type { Receipt } from "../../../lib/audit/receipt/receipt.ts";
import { readReceipt } from "../../../lib/audit/receipt/receipt_file.ts";
import { judgeLayers } from "../../../lib/audit/verify/judge_layers.ts";
import {
  judgePermissions,
  judgeWorker,
  readablePlaces,
} from "../../../lib/audit/verify/judge_worker.ts";

const FIXTURE = join(dirname(fromFileUrl(import.meta.url)), "../../../fixtures/4832d1b");
/** Receipts of a watched run in bubblewrap, and of one without evidence. */
const WATCHED = await readReceipt(join(FIXTURE, "unlearned/receipt.json"));
const PLAIN = await readReceipt(join(FIXTURE, "second/receipt.json"));

/** A receipt whose worker is changed. */
const worker = (
  { version = 1, ...changes }: Partial<Receipt["worker"]> & { version?: 1 | 2 },
): Receipt => ({ ...WATCHED, version, worker: { ...WATCHED.worker, ...changes } });
/** The worker's command line with words put in place of one. */
const instead = (word: string, ...words: string[]) => {
  const { argv } = WATCHED.worker;
  const at = argv.indexOf(word);
  if (at < 0) throw new Error(`there is no ${word}`);
  return worker({ argv: [...argv.slice(0, at), ...words, ...argv.slice(at + 1)] });
};
const layer = (name: string, state: "held" | "absent" | "failed" = "held") => ({
  layer: name,
  state,
  detail: "x",
});

Deno.test("judgeLayers holds for receipts of real runs, and counts what is not listed as absent", () => {
  const [state, detail] = judgeLayers(WATCHED);
  assertEquals([state, detail], ["held", `in the run, and by its record: ${LAYERS.join(", ")}`]);
  assertEquals(judgeLayers(PLAIN)[0], "held");
  const fewer = { ...PLAIN, layers: PLAIN.layers.filter((each) => each.layer !== "reader") };
  assertStringIncludes(judgeLayers(fewer)[1], "absent: permission log, system calls");
  assertStringIncludes(judgeLayers(fewer)[1], "reader");
  assertEquals(judgeLayers({ ...PLAIN, layers: [] })[0], "absent");
});

// Each mount was looked for among all photographs, for every layer anew: 20,000 of them took three minutes.
Deno.test("judgeLayers judges a receipt of 100,000 photographs, and finds the one mount too many", () => {
  const requests = Array.from({ length: 100_000 }, (_, i) => ({
    sha256: i.toString(16).padStart(16, "0") + "0".repeat(48),
    bytes: 1,
  }));
  const receipt = { ...worker({ version: 2 }), requests };
  const read = readablePlaces(receipt);
  const flags = Array.from(
    { length: Math.ceil(read.length / 1000) },
    (_, i) => `--allow-read=${read.slice(1000 * i, 1000 * (i + 1)).join()}`,
  );
  const allowed = (words: readonly string[]) =>
    words.flatMap((word) => word.startsWith("--allow-read=") ? flags : [word]);
  const { permissions } = receipt.worker;
  // Of version 1: there the folder of requests was mounted as a whole.
  const folder = receipt.worker.argv.indexOf("{support}") - 1;
  const argv = receipt.worker.argv.toSpliced(folder, 3);
  const at = argv.indexOf("--proc");
  const judge = (...more: string[]) =>
    judgeLayers({
      ...receipt,
      worker: {
        ...receipt.worker,
        permissions: allowed(permissions),
        argv: [
          ...argv.slice(0, at),
          ...read.slice(3).flatMap((path) => ["--ro-bind", path, path]),
          ...more,
          ...allowed(argv.slice(at)),
        ],
      },
    });
  assertEquals(judge()[0], "held", judge()[1].slice(0, 500));
  const other = "{support}/ffffffffffffffff";
  assertStringIncludes(judge("--ro-bind", other, other)[1], `mounts ${other}`);
});

/** What is made up, and what the verdict says of it. */
const FORGERIES: [string, Receipt, string][] = [
  [
    "one layer that names all",
    { ...WATCHED, layers: [layer(LAYERS.join(", "))] },
    "no layer called",
  ],
  [
    "an invented layer",
    { ...WATCHED, layers: [...WATCHED.layers, layer("trust")] },
    "called trust",
  ],
  ["a layer twice", { ...WATCHED, layers: [...WATCHED.layers, layer("inputs")] }, "listed twice"],
  ["a layer in capitals", { ...WATCHED, layers: [layer("Inputs")] }, "called Inputs"],
  ["no evidence", { ...WATCHED, evidence: [] }, "permissions.log is not among the evidence"],
  [
    "one log of two",
    { ...WATCHED, evidence: WATCHED.evidence.filter(({ file }) => !file.includes("trace")) },
    "trace.log is not among the evidence",
  ],
  ["nothing read", { ...WATCHED, kit: [] }, "reader: nothing was read"],
  ["all permissions", worker({ permissions: ["-A"] }), "--no-prompt is not among them"],
  ["another program", worker({ argv: ["deno"] }), "nothing in the command line closes them"],
  ["another variable", worker({ environment: { LD_PRELOAD: "x.so" } }), "it sets LD_PRELOAD"],
  ...([
    ["DENO_DIR", "/home/x/cache"],
    ["HOME", "/root"],
    ["MESA_SHADER_CACHE_DISABLE", "false"],
    ["LD_LIBRARY_PATH", "{training data}"],
    ["LD_LIBRARY_PATH", "/usr/lib:{support}"],
    ["LD_LIBRARY_PATH", "/usr/../home/x"],
    ["LD_LIBRARY_PATH", "lib"],
    ["LD_LIBRARY_PATH", "/usr/lib:"],
    ["constructor", "x"],
  ] as const).map(([name, value]): typeof FORGERIES[number] => [
    `${name} set to ${value}`,
    worker({ environment: { ...WATCHED.worker.environment, [name]: value } }),
    `it sets ${name} to ${value}`,
  ]),
  ["requests held against nothing", { ...WATCHED, split: null, written: [] }, "copies: "],
  ["no module", { ...WATCHED, code: [] }, "module graph: "],
  [
    "the probe as its worker",
    worker({
      argv: WATCHED.worker.argv.with(-2, "{project}/lib/audit/layers/canary_worker.ts"),
    }),
    "it runs",
  ],
  ["Deno's permissions alone", worker({ containment: "deno" }), "operating system: "],
  ["everything mounted", instead("--proc", "--ro-bind", "/", "/", "--proc"), "mounts / at /"],
  [
    "the training folder mounted",
    instead("--proc", "--ro-bind", "{training data}", "{training data}", "--proc"),
    "mounts {training data}",
  ],
  [
    "a place under another name",
    instead("--proc", "--ro-bind", "{kit}", "/data", "--proc"),
    "mounts",
  ],
  [
    "the network shared",
    instead("--clearenv", "--clearenv", "--share-net"),
    "is given --share-net",
  ],
  ["no new world", instead("--unshare-all"), "is not given --unshare-all"],
  [
    "a variable in bubblewrap",
    instead("--chdir", "--setenv", "LD_PRELOAD", "x", "--chdir"),
    "sets",
  ],
  ["a permission more", instead("--no-remote", "--no-remote", "--allow-all"), "--allow-all stands"],
  ["an import map", instead("--config", "--import-map=x", "--config"), "--import-map=x stands"],
  [
    "another entry",
    worker({ argv: WATCHED.worker.argv.with(-2, "{project}/lib/a.ts") }),
    "it runs",
  ],
  ["another job", worker({ argv: WATCHED.worker.argv.with(-1, "{out}/job") }), "other arguments"],
  [
    "a word of strace's twice",
    instead("-f", "-f", "-f"),
    "strace is given -f twice",
  ],
  [
    "a trace of other calls",
    worker({ argv: WATCHED.worker.argv.map((word) => /^trace=/.test(word) ? "trace=open" : word) }),
    "strace does not look at openat",
  ],
];
for (const [what, receipt, message] of FORGERIES) {
  Deno.test(`judgeLayers fails for a receipt with ${what}`, () => {
    const [state, detail] = judgeLayers(receipt);
    assertEquals(state, "failed", detail);
    assertStringIncludes(detail, message);
  });
}

Deno.test("judgePermissions takes the requests, the kit and the output, and nothing else", () => {
  const { permissions } = WATCHED.worker;
  const places = readablePlaces(WATCHED);
  assertEquals(judgePermissions(permissions, places), null);
  const more = [
    "--allow-net",
    "-A",
    "--allow-env",
    "--allow-read",
    "--allow-ffi=x",
    "-P",
    "--allow-run",
  ];
  for (const flag of more) {
    assertEquals(typeof judgePermissions([...permissions, flag], places), "string");
  }
  for (
    const [from, to] of [["{kit}", "{kit},{training data}"], [
      "--allow-write={out}",
      "--allow-write=/",
    ]]
  ) {
    const changed = permissions.map((flag) => flag.replace(from, to));
    assertEquals(typeof judgePermissions(changed, places), "string", to);
  }
});

Deno.test("judgeWorker takes folders with drivers, wherever the system or a user has them", () => {
  for (
    const path of [
      "/usr/local/cuda/lib64",
      "/a/b:/opt/conda/lib",
      "{above}/conda/lib",
      "{working folder}/lib",
    ]
  ) {
    const { environment } = WATCHED.worker;
    const receipt = worker({ environment: { ...environment, LD_LIBRARY_PATH: path } });
    assertEquals(judgeWorker(receipt).environment, null, path);
  }
});

Deno.test("judgeWorker finds nothing in receipts of real runs", () => {
  for (const receipt of [WATCHED, PLAIN]) {
    const { argv, permissions, environment } = judgeWorker(receipt);
    assertEquals([argv, permissions, environment], [null, null, null]);
  }
});

/** As today's receipts have it: the requests one by one, in place of their folder. */
const NAMED: Receipt = (() => {
  const each = WATCHED.requests.map(({ sha256 }) => `{support}/${sha256.slice(0, 16)}`);
  const files = WATCHED.requestTable === null ? each : [...each, "{support}/requests.csv"];
  const { permissions, argv } = WATCHED.worker;
  const granted = (flag: string) => flag.replace("{support}", files.join());
  const bound = argv.flatMap((word, i) =>
    word !== "{support}" ? [granted(word)] : argv[i - 1] === "{support}" ? [] : files.flatMap(
      (file, k) => k === 0 ? [file, file] : ["--ro-bind", file, file],
    )
  );
  return worker({ permissions: permissions.map(granted), argv: bound, version: 2 });
})();

Deno.test("judgeLayers lets today's worker read the requests that the receipt lists, and no other file beside them", () => {
  assertEquals(judgeLayers(NAMED)[0], "held", judgeLayers(NAMED)[1]);
  const [one, ...others] = NAMED.requests;
  const unlisted = { ...NAMED, requests: others };
  assertStringIncludes(judgeLayers(unlisted)[1], `may read {support}/${one.sha256.slice(0, 16)}`);
  const unread = { ...NAMED, requests: [...NAMED.requests, { sha256: "e".repeat(64), bytes: 1 }] };
  assertStringIncludes(judgeLayers(unread)[1], "may not read {support}/eeeeeeeeeeeeeeee");
  assertStringIncludes(judgeLayers({ ...WATCHED, version: 2 })[1], "it may read {support}");
  for (const more of ["{support}", "{support}/.cache", `{support}/${"f".repeat(16)}`]) {
    const { argv } = NAMED.worker;
    const at = argv.indexOf("--chdir");
    const mounted = [...argv.slice(0, at), "--ro-bind", more, more, ...argv.slice(at)];
    const [state, detail] = judgeLayers({ ...NAMED, worker: { ...NAMED.worker, argv: mounted } });
    assertEquals(state, "failed", more);
    assertStringIncludes(detail, `mounts ${more}`);
  }
});
