"""The looks of a session's report: light, dark and on paper, without a font or a file from elsewhere."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root { color-scheme: light dark; --paper: #ffffff; --card: #f6f7f9; --line: #dfe3e8; --text: #1b1f24;
  --muted: #5d6875; --accent: #0b66c3; --good: #14804a; --warn: #9a6200; --bad: #c2303a; --b: #c4640a;
  --s: #0b7fa8; --mask: #8a3ffc; }
@media (prefers-color-scheme: dark) { :root { --paper: #121417; --card: #1a1d22; --line: #2f3640;
  --text: #eceff3; --muted: #a3adba; --accent: #4da3ff; --good: #4fc98f; --warn: #f3b64c; --bad: #ff6e6e;
  --b: #f0a35e; --s: #58c7e8; --mask: #b57bff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--text);
  font: 15px/1.55 Inter, system-ui, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 40px 28px 64px; }
header { border-bottom: 1px solid var(--line); padding-bottom: 20px; }
.kicker { color: var(--muted); font-size: 12px; font-weight: 600; letter-spacing: .08em;
  text-transform: uppercase; margin: 0; }
h1 { font-size: 30px; line-height: 1.2; margin: 4px 0 14px; letter-spacing: -.01em;
  overflow-wrap: anywhere; }
h2 { font-size: 21px; margin: 48px 0 12px; letter-spacing: -.005em; }
h3 { font-size: 15px; margin: 28px 0 8px; }
p { margin: 0 0 10px; max-width: 78ch; } .sub { color: var(--muted); }
code { font: 13px/1.5 "JetBrains Mono", "DejaVu Sans Mono", ui-monospace, monospace;
  overflow-wrap: anywhere; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px 16px;
  overflow-x: auto; } pre code { overflow-wrap: normal; }
.facts { display: flex; flex-wrap: wrap; gap: 6px 28px; margin: 0; }
.facts div { display: flex; gap: 8px; } .facts dt { color: var(--muted); } .facts dd { margin: 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 12px;
  margin: 24px 0 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 14px 16px 12px; }
.tile b { display: block; font-size: 25px; line-height: 1.2; font-weight: 650; letter-spacing: -.01em;
  font-variant-numeric: tabular-nums; }
.tile span { color: var(--muted); font-size: 13px; }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 14px; }
th, td { white-space: nowrap; text-align: right; padding: 7px 12px; border-bottom: 1px solid var(--line);
  vertical-align: top; }
th { color: var(--muted); font-weight: 550; font-size: 13px; white-space: nowrap; }
thead tr:last-child th { border-bottom: 1.5px solid var(--muted); }
th.group { text-align: center; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child, .words { text-align: left; }
td.words { white-space: normal; overflow-wrap: anywhere; }
td.edge, th.edge { padding-left: 26px; }
tr.mean td { font-weight: 650; border-top: 1.5px solid var(--muted); } tr.paper td { color: var(--muted); }
.muted { color: var(--muted); }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
.pill { display: inline-block; border: 1px solid currentColor; border-radius: 99px; padding: 0 9px;
  font-size: 12px; line-height: 19px; font-weight: 600; }
.grid2, .grid3, .grid4 { display: grid; gap: 12px; }
.grid3 { grid-template-columns: repeat(3, 1fr); } .grid4 { grid-template-columns: repeat(4, 1fr); }
.grid2 { grid-template-columns: repeat(2, 1fr); }
.action { display: grid; gap: 12px; grid-template-columns: 2.06fr 1fr; }
.action .side { display: grid; gap: 12px; align-content: start; }
figure { margin: 0; } figcaption { color: var(--muted); font-size: 12.5px; padding: 5px 2px 2px; }
img { display: block; width: 100%; height: auto; border-radius: 6px; background: var(--card); }
.chart { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 10px 12px 4px; }
.chart figcaption { color: var(--text); font-size: 13px; font-weight: 600; padding: 0 2px 6px; }
svg { display: block; width: 100%; height: auto; }
svg text { font: 11px Inter, system-ui, "DejaVu Sans", sans-serif; fill: var(--muted);
  font-variant-numeric: tabular-nums; }
svg .label { fill: var(--text); font-size: 11.5px; paint-order: stroke; stroke: var(--card);
  stroke-width: 4px; stroke-linejoin: round; } svg .name { font-size: 15px; font-weight: 700; }
svg .axis { stroke: var(--muted); } svg .rail { stroke: var(--line); } svg .bar { fill: var(--accent); }
svg .mark { stroke: var(--text); stroke-dasharray: 3 3; } svg .theirs { stroke: var(--warn);
  stroke-dasharray: 6 3; }
svg .dot { fill: var(--accent); } svg .ring { fill: none; stroke: var(--text); stroke-width: 1.5; }
svg .err { stroke: var(--accent); stroke-width: 3; stroke-linecap: round; }
svg .single { opacity: .65; } svg .single.b { fill: var(--b); } svg .single.s { fill: var(--s); }
svg .dot.b { fill: var(--b); } svg .err.b { stroke: var(--b); } svg .name.b { fill: var(--b); }
svg .dot.s { fill: var(--s); } svg .err.s { stroke: var(--s); } svg .name.s { fill: var(--s); }
svg .dot.warn { fill: var(--warn); } svg .dot.stop { fill: var(--bad); }
figure + .sub, .grid3 + .sub, .grid4 + .sub { margin-top: 8px; font-size: 13.5px; }
details { border: 1px solid var(--line); border-radius: 10px; padding: 8px 14px; }
summary { cursor: pointer; font-weight: 600; font-size: 14px; } details[open] summary { margin-bottom: 6px; }
.note { border-left: 3px solid var(--warn); background: var(--card); padding: 8px 14px;
  border-radius: 0 8px 8px 0; }
footer { margin-top: 56px; border-top: 1px solid var(--line); padding-top: 14px; color: var(--muted);
  font-size: 13px; }
@media (max-width: 760px) { .grid2, .grid4, .action { grid-template-columns: 1fr 1fr; }
  .grid3 { grid-template-columns: 1fr; } .action > figure { grid-column: 1 / -1; } main {
  padding: 24px 16px; } }
@media print { :root { --paper: #fff; --card: #f6f7f9; --line: #cfd5dc; --text: #000; --muted: #444;
  --accent: #0b66c3; --good: #14804a; --warn: #9a6200; --bad: #c2303a; --b: #c4640a; --s: #0b7fa8; }
  @page { margin: 14mm; } body { font-size: 10.5pt; } table { font-size: 8.5pt; }
  th, td { padding: 4px 6px; } th { font-size: 8pt; } .table, pre { overflow: visible; }
  main { max-width: none; padding: 0; } h2 { break-after: avoid; }
  figure, .tile, tr { break-inside: avoid; } .scene { break-before: page; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; } }
"""
