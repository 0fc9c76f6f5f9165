import { assertEquals, assertGreater } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { readGolden } from "../../lib/selfcheck/golden.ts";
import { selfcheck } from "../../lib/selfcheck/selfcheck.ts";
import { asOnCard } from "../tensor/as_on_card.ts";

asOnCard("selfcheck holds PyTorch's numbers with the kernels for cards", async () => {
  const folder = fromFileUrl(new URL("../../fixtures/golden", import.meta.url));
  const groups = await selfcheck(await readGolden(folder));
  assertGreater(groups.length, 5);
  for (const { name, failed } of groups) assertEquals(failed, [], name);
});
