import { assertEquals } from "@std/assert";
import { closestName } from "../lib/closest_name.ts";

Deno.test("closestName finds the name that was meant, or none", () => {
  const names = ["Smiling", "Eyeglasses", "Male", "Bald"];
  assertEquals(closestName("Smilling", names), "Smiling");
  assertEquals(closestName("eye_glasses", names), "Eyeglasses");
  assertEquals(closestName("mal", names), "Male");
  assertEquals(closestName("Wearing_Hat", names), null);
  assertEquals(closestName("x", []), null);
});
