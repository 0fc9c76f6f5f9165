import { assertEquals, assertStringIncludes } from "@std/assert";
import { judgeTrace } from "../../../lib/audit/record/trace.ts";

const RULES = { deno: "/bin/deno", allowed: ["/in", "/out"], forbidden: "/in/data" };
const START = '10 execve("/bin/deno", ["/bin/deno"], 0x1 /* 3 vars */) = 0';
const OPEN = '10 openat(AT_FDCWD</x>, "a.png", O_RDONLY) = 9</in/a.png>';

const judged = (...lines: string[]) => {
  const { state, detail } = judgeTrace({ text: lines.join("\n") + "\n", sha256: "" }, RULES);
  return [state, detail] as const;
};

Deno.test("judgeTrace holds what was opened, as the kernel resolved it, against the allow-list", () => {
  assertEquals(judged(START, OPEN)[0], "held");
  const elsewhere = '10 openat(AT_FDCWD</x>, "/in/link", O_RDONLY) = 9</home/b.png>';
  const [state, detail] = judged(START, OPEN, elsewhere);
  assertEquals(state, "failed");
  assertStringIncludes(detail, "/home/b.png");
  assertEquals(
    judged(elsewhere, START, OPEN)[0],
    "held",
    "what came before Deno is not the worker's",
  );
  const refused = '10 openat(AT_FDCWD</x>, "/home/b.png", O_RDONLY) = -1 ENOENT (No such file)';
  assertEquals(judged(START, OPEN, refused)[0], "held", "a call that failed reached nothing");
});

Deno.test("judgeTrace reads calls that another thread interrupted, and names with escapes", () => {
  const resumed = "11 <... openat resumed>) = 9</home/\\303\\266.png>";
  const allowed =
    '10 openat(AT_FDCWD</x>, "y", O_RDONLY) = 9</in/\\303\\266/a b\\342\\202\\254.png>\n' +
    '10 openat(AT_FDCWD</x>, "y", O_RDONLY) = 9</in/a \\"\\0743\\\\b\\76.png>';
  const rules = { ...RULES, allowed: ["/in/ö/a b€.png", '/in/a "<3\\b>.png'] };
  assertEquals(judgeTrace({ text: [START, allowed].join("\n"), sha256: "" }, rules).state, "held");
  assertEquals(
    judged(START, OPEN, '11 openat(AT_FDCWD</x>, "y" <unfinished ...>', resumed)[0],
    "failed",
  );
});

Deno.test("judgeTrace takes the worker's own start for what it is, told in two lines too", () => {
  const begun = '10 execve("/bin/deno", ["/bin/deno"], 0x1 /* 3 vars */ <unfinished ...>';
  const ended = "10 <... execve resumed>)             = 0";
  assertEquals(judged(begun, ended, OPEN)[0], "held");
  assertEquals(judged(begun, OPEN, ended, OPEN)[0], "held");
  assertEquals(judged(begun, ended, ended, OPEN)[0], "failed", "a second program");
  assertEquals(judged(begun, ended.replace("10", "11"), ended, OPEN)[0], "failed", "another's");
  assertEquals(judged(START, ended, OPEN)[0], "failed", "nothing of it was left open");
});

Deno.test("judgeTrace fails on the training folder even where it may read", () => {
  assertEquals(judged(START, OPEN, '10 open("d", O_RDONLY) = 9</in/data/1.jpg>')[0], "failed");
});

Deno.test("judgeTrace fails on another program, on the network and on ways around opening", () => {
  for (
    const line of [
      '10 execve("/bin/sh", ["sh"], 0x1) = 0',
      "10 connect(9<TCP:[1]>, {sa_family=AF_INET, sin_port=htons(80)}, 16) = -1 EINPROGRESS",
      '10 connect(9<UNIX:[1]>, {sa_family=AF_UNIX, sun_path="/run/docker.sock"}, 24) = 0',
      "10 pidfd_getfd(7, 3, 0) = 8",
      "10 io_uring_setup(64, {flags=0}) = 7<anon_inode:[io_uring]>",
      "10 open_by_handle_at(3</x>, {}, O_RDONLY) = 8</home/x>",
    ]
  ) assertEquals(judged(START, OPEN, line)[0], "failed", line);
});

Deno.test("judgeTrace puts a connection together that is told in two lines, by its process", () => {
  const begun = (path: string) =>
    `11 connect(9<UNIX:[1]>, {sa_family=AF_UNIX, sun_path="${path}"}, 24 <unfinished ...>`;
  const done = "11 <... connect resumed>) = 0";
  assertEquals(judged(START, OPEN, begun("/run/docker.sock"), OPEN, done)[0], "failed");
  assertEquals(judged(START, OPEN, begun("/home/nscd"), OPEN, done)[0], "failed", "a like name");
  const refused = "11 <... connect resumed>) = -1 ENOENT (No such file)";
  assertEquals(judged(START, OPEN, begun("/run/docker.sock"), OPEN, refused)[0], "held");
  assertEquals(judged(START, OPEN, begun("/var/run/nscd/socket"), done)[0], "held");
  assertEquals(
    judged(START, OPEN, begun("/run/docker.sock"), done.replace("11", "12"))[0],
    "held",
    "another's",
  );
});

Deno.test("judgeTrace takes no line that is longer than any of strace's for one", () => {
  const long = "a".repeat(2e7);
  for (
    const line of [
      `10 openat(AT_FDCWD</x>, "${long}", O_RDONLY) = 9</in/b>`,
      `10 openat(${"a(".repeat(1e7)}) = 9</in/b>`,
      `10 openat(${"<a>".repeat(5e6)}) = 9</in/b>`,
      `10 connect(${"AF_UNIX".repeat(1e6)}`,
      "10 connect(".repeat(1e6),
    ]
  ) assertEquals(judged(START, OPEN, line)[0], "failed", line.slice(0, 20));
  const path = "/\\303\\266".repeat(1000);
  const most = `10 openat(AT_FDCWD</x>, "${path}", O_RDONLY) = 9</in${path}>`;
  assertEquals(judged(START, OPEN, most)[0], "held", "the longest paths that there are");
});

Deno.test("judgeTrace lets pass what every program does", () => {
  for (
    const line of [
      '10 connect(9<UNIX:[1]>, {sa_family=AF_UNIX, sun_path="/var/run/nscd/socket"}, 110) = 0',
      '10 connect(9<UNIX:[1]>, {sa_family=AF_UNIX, sun_path="/tmp/.X11-unix/X0"}, 20) = -1 ENOENT (No)',
      '10 openat(AT_FDCWD</x>, "/etc/ld.so.cache", O_RDONLY) = 9</etc/ld.so.cache>',
      "10 +++ exited with 0 +++",
    ]
  ) assertEquals(judged(START, OPEN, line)[0], "held", line);
});

Deno.test("judgeTrace takes files in memory, whole disks and another's memory for none of the system's", () => {
  const open = (path: string) => `10 openat(AT_FDCWD</x>, "y", O_RDONLY) = 9<${path}>`;
  for (
    const path of [
      ...["/dev/shm/celeba/1.jpg", "/dev/shm", "/dev/mem", "/dev/sda", "/dev/sda1", "/dev/xvda"],
      ...["/dev/nvme0n1p2", "/dev/vdb", "/dev/dm-0", "/dev/loop7", "/dev/mapper/data", "/dev/md0"],
      ...["/dev/disk/by-id/x", "/proc/kcore", "/proc/17/mem", "/proc/17/task/18/mem"],
      ...["/proc/17/map_files/400000-401000", "/dev/hugepages/x", "/dev/mmcblk0p1"],
    ]
  ) assertEquals(judged(START, OPEN, open(path))[0], "failed", path);
  for (
    const path of [
      ...["/dev/null", "/dev/urandom", "/dev/tty", "/dev/dri/renderD128", "/dev/nvidia0"],
      ...["/dev/nvidiactl", "/dev/nvidia-modeset", "/dev/nvidia-uvm", "/dev/kfd", "/dev/dxg"],
      ...["/proc/17/maps", "/proc/meminfo", "/proc/17/mountinfo", "/proc/driver/nvidia/params"],
      ...["/proc/sys/vm/overcommit_memory", "/sys/devices/pci0000:00/mem", "/dev/random"],
    ]
  ) assertEquals(judged(START, OPEN, open(path))[0], "held", path);
  // Requests that lie in memory are the run's own.
  const rules = { ...RULES, allowed: ["/dev/shm/requests"] };
  const own = { text: [START, OPEN, open("/dev/shm/requests/a.png")].join("\n"), sha256: "" };
  assertEquals(
    judgeTrace(own, { ...rules, allowed: [...RULES.allowed, ...rules.allowed] }).state,
    "held",
  );
});

Deno.test("judgeTrace takes no trace that does not show the worker", () => {
  assertEquals(judged(OPEN)[0], "failed");
  assertEquals(judged(START)[0], "failed");
});

Deno.test("judgeTrace holds files without a name, and names that look like calls, against the list too", () => {
  for (
    const line of [
      '10 openat(AT_FDCWD</x>, "/home/b.png", O_RDONLY) = 9</home/b.png>(deleted)',
      '10 openat(AT_FDCWD</x>, "/home/b.png", O_RDONLY) = 9</home/b.png (deleted)>',
      "11 <... openat resumed>) = 9</home/b.png>(deleted)",
      '10 openat(AT_FDCWD</x>, "b) = -1 ENOENT (No", O_RDONLY) = 9</home/b) = -1 ENOENT (No>',
      '10 openat(AT_FDCWD</x) = -1 ENOENT (No>, "b", O_RDONLY) = 9</home/b>',
      '10 openat(AT_FDCWD</x>, "b", O_RDONLY) = 9',
      '10 openat(AT_FDCWD</x>, "b", O_RDONLY) = 9<socket:[1]>',
      '10 openat(AT_FDCWD</x>, "b", O_RDONLY',
      "10 openat2(AT_FDCWD</x>, 0x1, {flags=O_RDONLY}, 24) = 9</home/b>",
    ]
  ) assertEquals(judged(START, OPEN, line)[0], "failed", line);
  for (
    const line of [
      '10 openat(AT_FDCWD</x>, "/in/b", O_RDWR|O_CREAT, 0600) = 9</in/b>(deleted)',
      '10 openat(AT_FDCWD</x>, "/in/b) = 3", O_RDONLY|O_CLOEXEC) = -1 ENOENT (No such file)',
      '10 openat(AT_FDCWD</x>, "/home/b", O_RDONLY) = ?',
    ]
  ) assertEquals(judged(START, OPEN, line)[0], "held", line);
});

Deno.test("judgeTrace takes no line that is none of strace's, before the worker's start or after it", () => {
  for (
    const line of [
      "iVBORw0KGgoAAAANSUhEUg==",
      "# a note",
      '{"photo":1}',
      "[pid 10] openat(1) = 9</x>",
    ]
  ) {
    assertEquals(judged(line, START, OPEN)[0], "failed", line);
    assertEquals(judged(START, OPEN, line)[0], "failed", line);
  }
  const signal = "10 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=11} ---";
  assertEquals(judged(signal, START, OPEN, signal)[0], "held");
});
