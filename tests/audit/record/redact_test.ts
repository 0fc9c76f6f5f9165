import { assertEquals } from "@std/assert";
import { redactor } from "../../../lib/audit/record/redact.ts";

const redact = redactor(
  [["{kit}", "/home/jane/kit"], ["{out}", "/home/jane/kit/out"], ["{deno}", "/usr/bin/deno"]],
  [
    {
      place: ["{support}", "/home/jane/Zoë's requests"],
      files: new Map([
        ["Jane Doe.png", "0123"],
        ["Zoë.png", "4567"],
        ["Zoë.png.jpg", "89ab"],
        ['a "<3\\b>.png', "cdef"],
      ]),
    },
    { place: ["{training data}", "/data/celeba"], files: new Map() },
  ],
);

/** What is logged, and what a receipt may hold of it. */
const CASES: [string, string][] = [
  ["/home/jane/kit/kit.json", "{kit}/kit.json"],
  ["--allow-read=/home/jane/kit,/home/jane/kit/out", "--allow-read={kit},{out}"],
  ["/home/jane/kitchen and /usr/bin/denoland", "/home/jane/kitchen and /usr/bin/denoland"],
  ["/home/jane/Zoë's requests/Jane Doe.png", "{support}/0123"],
  ['open("/home/jane/Zoë\'s requests/Zoë.png") = 3', 'open("{support}/4567") = 3'],
  ["/home/jane/Zoë's requests/Zoë.png.jpg", "{support}/89ab"],
  [
    "openat(3</home/jane/Zo\\303\\253's requests>, \"/home/jane/Zo\\303\\253's requests/Zo\\303\\253.png\")",
    'openat(3<{support}>, "{support}/4567")',
  ],
  ["file:///home/jane/Zo%C3%AB's%20requests/Jane%20Doe.png", "file://{support}/0123"],
  [
    'openat(AT_FDCWD</x>, "/home/jane/Zo\\303\\253\'s requests/a \\"<3\\\\b>.png") = 3' +
    "</home/jane/Zo\\303\\253's requests/a \\\"\\0743\\\\b\\76.png>",
    'openat(AT_FDCWD</x>, "{support}/cdef") = 3<{support}/cdef>',
  ],
  ["/home/jane/Zoë's requests/John Q. Public.png", "{support}/.."],
  [
    '["/home/jane/Zoë\'s requests/John.png","/usr/bin/deno"]',
    '["{support}/..","{deno}"]',
  ],
  ["/data/celeba/Jane Doe/1.jpg\n/data/celeba", "{training data}/..\n{training data}"],
];
for (const [logged, kept] of CASES) {
  Deno.test(`redactor leaves ${JSON.stringify(kept)} of a log`, () => {
    assertEquals(redact(logged), kept);
  });
}

Deno.test("redactor with no place changes nothing", () => {
  assertEquals(redactor([], [])("/home/jane/kit"), "/home/jane/kit");
});
