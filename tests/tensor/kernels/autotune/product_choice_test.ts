import { assert, assertEquals, assertNotEquals } from "@std/assert";
import {
  caseName,
  parseCase,
  type ProductCase,
  productKernel,
  setProductChoice,
  watchProducts,
} from "../../../../lib/tensor/kernels/autotune/product_choice.ts";
import { setCard } from "../../../../lib/tensor/kernels/webgpu/card.ts";
import {
  estimatedKernel,
  PRODUCT_KERNELS,
  suitableKernels,
} from "../../../../lib/tensor/kernels/webgpu/product_kernels.ts";

const PRODUCT: ProductCase = {
  batch: 2,
  m: 64,
  n: 48,
  k: 40,
  transposeA: false,
  transposeB: true,
};
/** A kernel that nobody would estimate. */
const OTHER = suitableKernels().at(-1)!;

Deno.test("parseCase is the inverse of caseName", () => {
  for (const transposeA of [false, true]) {
    for (const transposeB of [false, true]) {
      const product = { ...PRODUCT, transposeA, transposeB };
      assertEquals(parseCase(caseName(product)), product);
    }
  }
  assertEquals(caseName(PRODUCT), "2 x [64,40] [48,40]T");
});

Deno.test("parseCase gives null for what is no product, sums of two lengths included", () => {
  for (const name of ["", "2 x [64,40] [48,41]T", "2 x [64] [48]", "-1 x [1,1] [1,1]", "1e3"]) {
    assertEquals(parseCase(name), null, name);
  }
});

Deno.test("productKernel takes what was measured, also for a product near by", () => {
  setProductChoice({ [caseName(PRODUCT)]: OTHER.name });
  try {
    assertEquals(productKernel(PRODUCT), OTHER);
    assertEquals(productKernel({ ...PRODUCT, m: 100 }), OTHER);
    const far = { ...PRODUCT, m: 64 * 2 ** 7 };
    assertEquals(productKernel(far), estimatedKernel(far));
    const stored = { ...PRODUCT, transposeA: true };
    assertEquals(productKernel(stored), estimatedKernel(stored));
  } finally {
    setProductChoice({});
  }
  assertNotEquals(productKernel(PRODUCT), OTHER);
});

Deno.test("setProductChoice passes over names that it does not know", () => {
  setProductChoice({ [caseName(PRODUCT)]: "another version's", "nonsense": OTHER.name });
  assertEquals(productKernel(PRODUCT), estimatedKernel(PRODUCT));
  setProductChoice({});
});

Deno.test("estimatedKernel of a card shares one kernel among small products alone", () => {
  setCard(true);
  try {
    const of = (m: number, n: number, k: number) => estimatedKernel({ batch: 1, m, n, k }).name;
    const small = [[8, 40, 96], [64, 512, 80], [1088, 96, 384], [1088, 384, 96], [2080, 384, 128]];
    assertEquals(new Set(small.map(([m, n, k]) => of(m, n, k))).size, 1);
    assertNotEquals(of(6304, 3072, 768), of(8, 40, 96));
  } finally {
    setCard(false);
  }
});

Deno.test("watchProducts tells of products until it is ended", () => {
  const seen: ProductCase[] = [];
  watchProducts((product) => seen.push(product));
  productKernel(PRODUCT);
  watchProducts(null);
  productKernel(PRODUCT);
  assertEquals(seen, [PRODUCT]);
});

Deno.test("PRODUCT_KERNELS have names of their own", () => {
  assertEquals(new Set(PRODUCT_KERNELS.map(({ name }) => name)).size, PRODUCT_KERNELS.length);
  assert(PRODUCT_KERNELS.length > 1);
});
