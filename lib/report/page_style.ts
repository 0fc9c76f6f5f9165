import { Markup } from "./markup.ts";

/** The page's style. Colours are given for light and dark; print takes the light ones. */
export const STYLE = new Markup(`
:root { color-scheme: light dark; --ink: #1c2024; --paper: #fff; --line: #d5dae0; --soft: #f3f5f7;
  --faint: #5b6470; --mark: #0b5cad; --warn: #8a4b00; }
@media screen and (prefers-color-scheme: dark) { :root { --ink: #e4e7eb; --paper: #14171a;
  --line: #363c43; --soft: #1e2327; --faint: #a6afb9; --mark: #7ab8ff; --warn: #ffc069; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem; border-top: 1px solid var(--line); padding-top: 1rem; }
h3 { font-size: 1.05rem; margin: 1.5rem 0 .5rem; }
.note, figcaption { color: var(--faint); font-size: .9em; }
.warning { color: var(--warn); font-weight: 600; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
td, th { border-bottom: 1px solid var(--line); padding: .3rem .8rem .3rem 0; text-align: right;
  font-weight: normal; white-space: nowrap; }
thead th { color: var(--faint); }
th:first-child, td:last-child, thead th:last-child { text-align: left; }
td:last-child { white-space: normal; }
figure { margin: 1rem 0; }
.panels { display: flex; flex-wrap: wrap; gap: .5rem 1rem; }
.panels > figure { flex: 1 1 26rem; margin: 0; }
.panels > svg.plot { flex: 1 1 18rem; width: auto; min-width: 0; max-width: 26rem; }
svg.plot { width: 100%; height: auto; font: 12px system-ui, sans-serif; }
.plot text { fill: var(--ink); } .plot .tick, .plot .axis { fill: var(--faint); }
.plot .name { font-weight: 600; }
.plot .grid { stroke: var(--line); stroke-width: 1; }
.plot .chance, .plot .zero { stroke: var(--faint); stroke-dasharray: 4 4; }
.plot .curve, .plot .range, .plot .mean { fill: none; stroke: var(--mark); stroke-width: 2; }
.plot .dot { fill: var(--mark); fill-opacity: .6; }
.plot .band { fill: var(--mark); fill-opacity: .13; }
.plot .dash-1 { stroke-dasharray: 7 3; } .plot .dash-2 { stroke-dasharray: 2 3; }
.plot .dash-3 { stroke-dasharray: 8 3 2 3; }
.dossier { border-bottom: 1px solid var(--line); padding: .25rem 0; }
.dossier summary { cursor: pointer; }
.file { display: flex; gap: 1rem; align-items: flex-start; padding: .25rem 0 .75rem; }
.file > div { min-width: 0; }
.pictures { display: flex; flex-wrap: wrap; gap: .4rem; margin: .25rem 0 .75rem; }
img { border-radius: .3rem; }
dt { font-weight: 600; } dd { margin: 0 0 .5rem; }
@media print {
  body { font-size: 11px; } main { max-width: none; padding: 0; }
  section, figure, .dossier { break-inside: avoid-page; } section { break-inside: auto; }
  details::details-content { content-visibility: visible; display: block; }
}
`);
