import type { OnProgress, ProgressEvent } from "../lib/run/progress.ts";
import type { Terminal } from "./terminal.ts";

/** Between two plain lines of one stage, where there is no terminal to rewrite a line on. */
const PLAIN_INTERVAL = 10_000;
/** Between two rewrites on a terminal. */
const TERMINAL_INTERVAL = 100;

/** Seconds as people say them: `8 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor(whole % 3600 / 60)} min`;
}

/**
 * Shows how far a run has come: one line that is rewritten on a terminal, a plain line every ten
 * seconds elsewhere, with the rate and the time left; each stage ends with a line that stays.
 *
 * @param json every event as one line of JSON instead, for machines
 */
export function progress(terminal: Terminal, json = false): OnProgress {
  let stage = "";
  let started = 0;
  let shown = 0;
  let first = 0;
  return (event) => {
    const now = terminal.now();
    if (event.stage !== stage) {
      [stage, started, shown, first] = [event.stage, now, now, event.done];
    }
    const last = event.done >= event.total;
    const interval = terminal.interactive ? TERMINAL_INTERVAL : PLAIN_INTERVAL;
    if (!last && now - shown < interval) return;
    shown = now;
    const seconds = (now - started) / 1000;
    const rate = seconds > 0 ? (event.done - first) / seconds : 0;
    if (json) terminal.note(JSON.stringify({ ...event, rate: Number(rate.toFixed(2)) }));
    else if (last) terminal.note(finished(event, seconds, rate));
    else if (terminal.interactive) terminal.rewrite(running(event, rate));
    else terminal.note(running(event, rate));
    if (last) stage = "";
  };
}

function running({ stage, done, total, unit, note }: ProgressEvent, rate: number): string {
  const left = rate > 0 ? `, ${duration((total - done) / rate)} left` : "";
  return `${stage}: ${done}/${total} ${unit}, ${amount(rate)} ${unit}/s${left}${tail(note)}`;
}

function finished({ stage, total, unit, note }: ProgressEvent, seconds: number, rate: number) {
  return `${stage}: ${total} ${unit} in ${duration(seconds)} (${amount(rate)}/s)${tail(note)}`;
}

const amount = (rate: number) => rate >= 10 ? rate.toFixed(0) : rate.toFixed(1);
const tail = (note: string | undefined) => note === undefined ? "" : `; ${note}`;
