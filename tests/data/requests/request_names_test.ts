import { assert, assertEquals } from "@std/assert";
import {
  identityFileName,
  identityOfFileName,
  numberedIdentity,
} from "../../../lib/data/requests/request_names.ts";

Deno.test("identityFileName makes safe names that identityOfFileName turns back", () => {
  const identities = [
    "17",
    "F0001_D",
    "../../etc",
    "a/b\\c",
    ".hidden",
    "Zoë 日本",
    "50%",
    "a.b",
    "%2e",
  ];
  for (const identity of identities) {
    const name = identityFileName(identity, ".jpg", new Set());
    assert(/^[A-Za-z0-9_%-]+\.jpg$/.test(name), name);
    assertEquals(identityOfFileName(name), identity);
  }
  assertEquals(identityFileName("17", ".png", new Set()), "17.png");
});

Deno.test("identityFileName keeps names apart where letter case is not told apart, and short", () => {
  const taken = new Set<string>();
  const names = ["ann", "Ann", "x".repeat(300), "x".repeat(301)]
    .map((identity) => identityFileName(identity, ".jpg", taken));
  assertEquals(new Set(names.map((name) => name.toLowerCase())).size, 4);
  assertEquals(names[0], "ann.jpg");
  for (const name of names) assert(name.length < 255);
});

Deno.test("identityOfFileName leaves alone what is no encoding", () => {
  assertEquals(identityOfFileName("100%.jpg"), "100%");
  assertEquals(identityOfFileName("%ff.png"), "%ff");
});

Deno.test("numberedIdentity takes a further photograph's number off, from 1 to 99, and nothing else", () => {
  for (const name of ["4711.2.jpg", "4711.1.png", "4711.99.webp"]) {
    assertEquals(numberedIdentity(name), "4711");
  }
  assertEquals(numberedIdentity("a%2Fb.2.jpg"), "a/b");
  assertEquals(numberedIdentity("a.b.2.jpg"), "a.b");
  const others = [
    "4711.jpg",
    "4711%2E2.jpg",
    "4711.0.jpg",
    "4711.02.jpg",
    "4711.100.jpg",
    ".2.jpg",
  ];
  for (const name of [...others, "4711.2", "4711.v2.jpg"]) {
    assertEquals(numberedIdentity(name), null);
  }
});
