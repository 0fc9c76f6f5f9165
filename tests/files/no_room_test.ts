import { assertEquals } from "@std/assert";
import { isNoRoom, roomRemedy } from "../../lib/files/no_room.ts";

Deno.test("isNoRoom knows a full disk by its code and by what systems and workers say of it", () => {
  for (const code of ["ENOSPC", "EDQUOT"]) {
    assertEquals(isNoRoom(Object.assign(new Error("write"), { code })), true);
  }
  for (const text of ["No space left on device (os error 28)", "Disk quota exceeded"]) {
    assertEquals(isNoRoom(new Error(text)), true);
  }
  for (const other of [new Error("Permission denied (os error 13)"), "No space left", null]) {
    assertEquals(isNoRoom(other), false);
  }
});

Deno.test("roomRemedy names the folder whose disk wants room", () => {
  assertEquals(
    roomRemedy("/data/out/model"),
    "make room on the disk of /data/out, or choose a place on another one",
  );
  assertEquals(roomRemedy().startsWith("make room, "), true);
});
