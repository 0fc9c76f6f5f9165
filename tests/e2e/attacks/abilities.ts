import { shell } from "../../../lib/audit/sandbox/shell.ts";

/** What this machine and user can do, so that an attack that cannot be tried is skipped and says so. */
export const HAS_BUBBLEWRAP =
  (await shell("exec bwrap --unshare-all --proc /proc --dev /dev --ro-bind / / true")).code === 0;
export const HAS_STRACE = (await shell("strace -qq -f -y true")).code === 0;
export const MAY_MOUNT = (await shell(
  'd=$(mktemp -d) && mount --bind "$d" "$d" && umount "$d"; r=$?; rmdir "$d"; exit $r',
)).code === 0;
export const MAY_MAKE_DEVICES =
  (await shell('d=$(mktemp -d) && mknod "$d/null" c 1 3; r=$?; rm -r "$d"; exit $r')).code === 0;

const missing = [
  ...HAS_BUBBLEWRAP ? [] : ["bubblewrap"],
  ...HAS_STRACE ? [] : ["strace"],
  ...MAY_MOUNT ? [] : ["the right to mount"],
  ...MAY_MAKE_DEVICES ? [] : ["the right to make devices"],
];
if (missing.length > 0) {
  console.error(`attacks: some cannot be tried here, for lack of ${missing.join(", ")}`);
}
