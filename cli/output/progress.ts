import type { OnProgress, ProgressEvent } from "../../lib/run/progress.ts";
import { jsonLine } from "./json_line.ts";
import type { Terminal } from "./terminal.ts";

/** Milliseconds between two plain lines of one stage, where there is no terminal to rewrite one on. */
const PLAIN_INTERVAL = 5_000;
/** Milliseconds between two rewrites on a terminal. */
const TERMINAL_INTERVAL = 100;

/** Seconds as people say them: `8 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor(whole % 3600 / 60)} min`;
}

/**
 * Shows how far a run has come: one line that is rewritten on a terminal, a plain line every five
 * seconds elsewhere, with the mean rate of the stage and the time left; each stage ends with a line
 * that stays. Goes to standard error, so that results stay clean.
 *
 * @param json each shown event as one line of JSON with its `rate` in units per second, for machines
 */
export function progress(terminal: Terminal, json = false): OnProgress {
  const rewrites = terminal.interactive && !json;
  const interval = rewrites ? TERMINAL_INTERVAL : PLAIN_INTERVAL;
  let stage: string | null = null;
  let started = 0;
  let shown = 0;
  let first = 0;
  return (event) => {
    const now = terminal.now();
    // A resumed stage begins midway: what was done before counts for no rate.
    if (event.stage !== stage) {
      [stage, started, shown, first] = [event.stage, now, now, event.done];
    }
    const last = event.done >= event.total;
    if (!last && now - shown < interval) return;
    shown = now;
    const seconds = (now - started) / 1000;
    const rate = seconds > 0 ? (event.done - first) / seconds : 0;
    if (json) terminal.note(jsonLine({ ...event, rate: Number(rate.toPrecision(3)) }));
    else if (last) terminal.note(finished(event, seconds, rate));
    else if (rewrites) terminal.rewrite(running(event, rate));
    else terminal.note(running(event, rate));
    if (last) stage = null;
  };
}

function running({ stage, done, total, unit, note }: ProgressEvent, rate: number): string {
  const left = rate > 0 ? [speed(rate, unit), `${duration((total - done) / rate)} left`] : [];
  return columns(stage, note, `${done}/${total} ${unit}`, ...left);
}

function finished({ stage, total, unit, note }: ProgressEvent, seconds: number, rate: number) {
  const taken = rate > 0 ? [speed(rate, unit), `in ${duration(seconds)}`] : [];
  return columns(stage, note, `${total} ${unit}`, ...taken);
}

function speed(rate: number, unit: string): string {
  return `${rate >= 10 ? rate.toFixed(0) : rate.toPrecision(2)} ${unit}/s`;
}

function columns(...parts: (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join("  ");
}
