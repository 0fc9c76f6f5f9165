import { assertEquals } from "@std/assert";
import { paperRow } from "../../lib/benchmark/paper_figures.ts";
import { parseCsv } from "../../lib/files/text/csv.ts";

const paper = { layout: "celeba", preset: "vit_base_patch16_224" } as const;

Deno.test("paperRow gives figures for the paper's model on the full data set only", () => {
  assertEquals(paperRow(paper, 202_599, 5, "SCRUB"), {
    retain: [87.9, 0.1],
    forget: [77.5, 3.4],
    test: [80.6, 0.2],
    tugOfWar: [94.8, 0.7],
    tpr: 3.61,
  });
  assertEquals(paperRow(paper, 202_599, 5, "Retrain")!.tugOfWar, null);
  assertEquals(paperRow(paper, 4_185, 5, "SCRUB"), null);
  assertEquals(paperRow({ ...paper, preset: "vit_small_patch16_224" }, 202_599, 5, "SCRUB"), null);
  assertEquals(paperRow({ ...paper, layout: "portraits" }, 202_599, 5, "SCRUB"), null);
  assertEquals(paperRow(paper, 202_599, 6, "SCRUB"), null);
  assertEquals(paperRow(paper, 202_599, 5, "toString"), null);
});

const tables = await Deno.readTextFile(
  new URL("../../../shared/paper/tables.csv", import.meta.url),
).catch(() => null);

Deno.test({
  name: "paperRow gives every figure of the paper's Tables 1 to 4",
  ignore: tables === null,
  fn() {
    const { columns, rows } = parseCsv(tables!, "tables.csv");
    const layouts = { "CelebA-HQ": "celebahq", CelebA: "celeba", MUFAC: "mufac" } as const;
    for (const { fields } of rows) {
      const field = (name: string) => fields[columns.indexOf(name)];
      const number = (name: string) => field(name) === "" ? null : Number(field(name));
      const pair = (name: string) => {
        const [mean, deviation] = [number(name), number(`${name}_sd`)];
        return mean === null ? null : [mean, deviation];
      };
      const layout = layouts[field("data") as keyof typeof layouts];
      assertEquals(
        paperRow({ ...paper, layout }, 1e6, number("identities")!, field("method")) as unknown,
        {
          retain: pair("retain"),
          forget: pair("forget"),
          test: pair("test"),
          tugOfWar: pair("tow"),
          tpr: number("mia_percent"),
        },
      );
    }
    assertEquals(rows.length, 64);
  },
});
