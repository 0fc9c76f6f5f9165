import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { execute } from "../../../cli/command/command.ts";
import { sha256Hex } from "../../../lib/files/sha256.ts";
import { recordedTerminal } from "../../cli/recorded_terminal.ts";
import { writeFiles } from "../../data/temporary_folder.ts";
import { TASKS } from "../all_tasks.ts";
import { BAD_IMAGES } from "./bad_images.ts";
import { BAD_CSV, BAD_DATA_SETS, BAD_REQUESTS, IMAGES } from "./bad_labels.ts";
import { BAD_KITS, BAD_WEIGHTS } from "./bad_weights.ts";
import { DENO_WALLS } from "../kit_folder.ts";
import { type Bad, refuses } from "./refuses.ts";
import { runTask, type TaskName } from "../run_task.ts";
import { copy, inCopy, tree } from "../small_path.ts";
import { edit, empty, remove, type Spoil, write } from "./spoil.ts";

const WASM = "--device wasm";
const { evaluate, predict, selfcheck, split, train, unlearn, "meta-learn": metaLearn } = TASKS;
const SPLIT = "--dataset celeba --data @portraits --forget 2 --out @new.json --requests @new";
const DATA = "--split @split.json --data @portraits";
const TRAIN = `${DATA} --out @new --preset vit_demo_patch8_32 --epochs 1 ${WASM}`;
const META_LEARN = `${DATA} --model @model --out @new ${WASM}`;
const UNLEARN = `--support @requests --kit @kit --out @new ${WASM} ${DENO_WALLS.join(" ")}`;
const EVALUATE = `${DATA} --model @model --retrained @retrained --json @new.json ${WASM}`;
const PREDICT = `--model @model --images @requests --json @new.json ${WASM}`;

const NO_MODEL: Bad = ["no model", "@model does not exist", remove("model"), 2];
const NO_SPLIT: Bad = ["no split", "@split.json does not exist", remove("split.json"), 2];
const NO_DATA: Bad = ["no data set", "@portraits does not exist", remove("portraits"), 2];
const NO_REQUESTS: readonly Bad[] = [
  ["no images", "@requests does not exist", remove("requests"), 2],
  ["an empty folder", "@requests is empty", empty("requests"), 2],
];

refuses("split refuses bad data sets", split, SPLIT, [NO_DATA, ...BAD_DATA_SETS]);
refuses("split refuses more people to forget than exist", split, SPLIT.replace("2", "99"), [
  ["99", "99 people to forget, of 10 in training"],
]);
const FOLDER = SPLIT.replace("celeba", "folder").replace("@portraits", "@requests");
refuses("split refuses a bad CSV", split, FOLDER, BAD_CSV);

const allImages = (content: string): Spoil => async (folder) => {
  for (const name of await tree(join(folder, IMAGES))) {
    await write(`${IMAGES}/${name}`, content)(folder);
  }
};
refuses("train refuses bad input", train, TRAIN, [
  NO_DATA,
  NO_SPLIT,
  ["a split that is none", "@split.json is not JSON", write("split.json", "{")],
  ["images that changed", `@${IMAGES}/ .. has changed`, allImages("hello")],
  [
    "images that were none when they were split",
    `@${IMAGES}/ .. is not an image`,
    async (folder) => {
      await allImages("hello")(folder);
      const hash = sha256Hex(new TextEncoder().encode("hello"));
      const hashed = (lines: string[]) => lines.map((line) => line.replace(/[0-9a-f]{64}/, hash));
      await edit("split.json", hashed)(folder);
    },
  ],
]);
const OTHER_SIZE = TRAIN.replace("vit_demo_patch8_32", "vit_mini_patch8_48 --init @model");
refuses("train refuses a model of another size", train, OTHER_SIZE, [[
  "to start from",
  "@model/model.safetensors lacks the tensor blocks.2 .. : choose the preset of that model",
]]);
refuses("metaLearn refuses bad input", metaLearn, META_LEARN, [NO_DATA, NO_SPLIT, NO_MODEL]);
const TOO_LARGE = `${META_LEARN} --request-size 50`;
refuses("metaLearn refuses a larger request than there are people", metaLearn, TOO_LARGE, [
  ["50", "a request of 50 people; there are 10 people"],
]);
refuses("evaluate refuses bad input", evaluate, EVALUATE, [
  NO_DATA,
  NO_SPLIT,
  NO_MODEL,
  ["no oracle", "@retrained does not exist", remove("retrained"), 2],
]);
const GOLDEN = `--golden @requests ${WASM}`;
refuses("selfcheck refuses a folder without golden numbers", selfcheck, GOLDEN, [
  ["without them", "@requests holds no golden numbers", () => Promise.resolve(), 2],
]);

refuses("unlearn refuses bad requests", unlearn, UNLEARN, [...NO_REQUESTS, ...BAD_REQUESTS]);
// A worker each; the same decoder refuses all of them to predict, below.
const BY_WORKER = ["a truncated JPEG", "no image", "too many pixels", "a symbolic link"];
refuses(
  "unlearn refuses bad images",
  unlearn,
  UNLEARN,
  BAD_IMAGES.filter(([what]) => BY_WORKER.includes(what)),
);
refuses("unlearn refuses bad kits", unlearn, UNLEARN, BAD_KITS);
refuses(
  "unlearn refuses a memory limit that one image exceeds",
  unlearn,
  `${UNLEARN} --memory-limit 1MiB`,
  [
    [
      "the limit",
      "unlearn takes  .. MiB of device memory .. the limit is 1 MiB: raise --memory-limit",
    ],
  ],
);
const NO_KIT: Bad = ["no kit", "@kit does not exist .. meta-learn --out kit", remove("kit")];
refuses("unlearn refuses a kit that is not there", unlearn, UNLEARN, [NO_KIT], 2);

refuses("predict refuses bad images", predict, PREDICT, [NO_MODEL, ...NO_REQUESTS, ...BAD_IMAGES]);
refuses("predict refuses bad weights", predict, PREDICT, BAD_WEIGHTS);

Deno.test("predict converts CMYK, grey and 16-bit images", () =>
  inCopy(async (folder) => {
    for (const name of ["cmyk.jpg", "grey.jpg", "alpha_16_bit.png", "interlaced_palette.png"]) {
      const url = new URL(`../../data/images/${name}`, import.meta.url);
      await copy(fromFileUrl(url), join(folder, "requests", name));
    }
    const args = PREDICT.replaceAll("@", "").split(" ");
    const { code, out } = await runTask("predict", args, folder);
    assertEquals([code, out], [0, "new.json: 7 images\n"]);
  }));

Deno.test("every task names the option that was meant and exits 2", async () => {
  const misspelt: Record<TaskName, [string, string]> = {
    portraits: ["--identites 3", "--identities"],
    split: ["--datset celeba", "--dataset"],
    train: ["--without-forgot", "--without-forget"],
    import: ["--weigths a", "--weights"],
    inspect: ["--datset celeba", "--dataset"],
    "meta-learn": ["--meta-learning-rat 1", "--meta-learning-rate"],
    unlearn: ["--suport requests", "--support"],
    "unlearn-with-data": ["--forgeting-epochs 1", "--forgetting-epochs"],
    audit: ["--verfy receipt.json", "--verify"],
    accept: ["--befor model", "--before"],
    evaluate: ["--retraind model", "--retrained"],
    benchmark: ["--setings a", "--settings"],
    "benchmark-slurm": ["--satus", "--status"],
    export: ["--onx a", "--onnx"],
    ledger: ["--recieved a", "--received"],
    report: ["--gird", "--grid"],
    tables: ["--chekc", "--check"],
    predict: ["--image a", "--images"],
    selfcheck: ["--goldn a", "--golden"],
    bench: ["--repetition 3", "--repetitions"],
    "bench-pytorch": ["--bach 3", "--batch"],
    demo: ["--sed 1", "--seed"],
  };
  for (const [name, [args, meant]] of Object.entries(misspelt)) {
    const terminal = recordedTerminal();
    const task = TASKS[name as TaskName];
    assertEquals(await execute(task, args.split(" "), terminal), 2, name);
    assertMatch(terminal.noted.join("\n"), new RegExp(`^lethe: .*did you mean ${meant}\\?$`));
  }
});

Deno.test("a task's process ends on bad input as the task does: one line and its exit code", () =>
  inCopy(async (folder) => {
    await writeFiles(folder, { "requests/9.png": "hello" });
    const before = await tree(folder);
    const cases = [
      ["unlearn", UNLEARN, 1, "requests/9.png is not an image"],
      ["split", SPLIT.replace("portraits", "none"), 2, "none does not exist"],
      ["unlearn", UNLEARN.replace("--kit @kit", "--kit @none"), 2, "none does not exist"],
      ["predict", PREDICT.replace("--model", "--modle"), 2, "did you mean --model?"],
    ] as const;
    for (const [task, args, exitCode, says] of cases) {
      const { code, err } = await runTask(task, args.replaceAll("@", "").split(" "), folder);
      assertEquals(code, exitCode, err);
      const lines = err.trimEnd().split("\n").filter((line) => !line.startsWith("device: "));
      assertEquals(lines.length, 1, err);
      assertStringIncludes(lines[0], says);
    }
    assertEquals(await tree(folder), before);
  }));
