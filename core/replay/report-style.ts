/**
 * Colours of both themes as custom properties: text and lines of each keep a contrast of 4.5 to its
 * ground. One accent for money, one for loss, one for exposure, one for what stood still.
 */
export const palette = `
:root{color-scheme:light dark;--ground:#fbfaf7;--panel:#fff;--ink:#1c2128;--soft:#59636e;--faint:#8b949e;--line:#e6e3dc;--axis:#c9c5bb;--money:#1f6feb;--price:#57606a;--loss:#c93c37;--exposure:#0f8a7e;--halt:#d9930d;--buy:#1a7f37;--sell:#c93c37}
@media (prefers-color-scheme:dark){:root{--ground:#0f1318;--panel:#151a21;--ink:#e7ebf0;--soft:#a3adb8;--faint:#76818d;--line:#232a33;--axis:#3a434e;--money:#6cabff;--price:#aab4bf;--loss:#ff7b72;--exposure:#3fc7b8;--halt:#f0b13c;--buy:#4cc46a;--sell:#ff7b72}}
`

export const chartStyle = `
.chart{font-family:ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-size:12px;font-variant-numeric:tabular-nums}
.chart text{fill:var(--soft)}
.chart .name{fill:var(--ink);font-size:13px;font-weight:600}
.chart .note{fill:var(--soft);font-size:12px}
.chart .heading{fill:var(--ink);font-size:25px;font-weight:650;letter-spacing:-.4px}
.chart .under{fill:var(--soft);font-size:14px}
.chart .strong{fill:var(--ink);font-weight:600}
.chart .grid{stroke:var(--line);stroke-width:1;fill:none}
.chart .axis{stroke:var(--axis);stroke-width:1;fill:none}
.chart .halt{fill:var(--halt);opacity:.15}
.chart .halt-edge{stroke:var(--halt);stroke-width:1;stroke-dasharray:3 3;fill:none;opacity:.8}
.chart .halt-name{fill:var(--halt);font-size:11px;font-weight:650;letter-spacing:.4px}
.chart .level{stroke:var(--loss);stroke-width:1;stroke-dasharray:6 4;fill:none;opacity:.35}
.chart .level-name{fill:var(--loss);font-size:11px;opacity:.8}
.chart .price{stroke:var(--price);stroke-width:1.5;fill:none;stroke-linejoin:round}
.chart .feed{stroke:var(--faint);stroke-width:1.25;stroke-dasharray:1.5 3;fill:none;stroke-linejoin:round}
.chart .price-band{fill:var(--price);opacity:.2}
.chart .money{stroke:var(--money);stroke-width:2;fill:none;stroke-linejoin:round}
.chart .money-band{fill:var(--money);opacity:.22}
.chart .money-area{fill:var(--money);opacity:.09}
.chart .loss{stroke:var(--loss);stroke-width:1.5;fill:none;stroke-linejoin:round}
.chart .loss-area{fill:var(--loss);opacity:.2}
.chart .exposure{stroke:var(--exposure);stroke-width:1.5;fill:none}
.chart .exposure-area{fill:var(--exposure);opacity:.2}
.chart .start{stroke:var(--faint);stroke-width:1;stroke-dasharray:2 4;fill:none}
.chart .mark{fill:var(--loss);stroke:var(--panel);stroke-width:2}
.chart .buy{fill:var(--buy);stroke:var(--panel);stroke-width:1}
.chart .sell{fill:var(--sell);stroke:var(--panel);stroke-width:1}
.chart .probe{fill:transparent}
.chart .probe:hover{fill:var(--ink);fill-opacity:.07}
.chart .paper{fill:var(--ground)}
`

export const pageStyle = `
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;-webkit-font-smoothing:antialiased}
main{max-width:1184px;margin:0 auto;padding:44px 32px 56px}
h1{margin:0;font-size:32px;line-height:1.15;font-weight:650;letter-spacing:-.6px}
h2{margin:44px 0 12px;font-size:18px;font-weight:600;letter-spacing:-.1px}
.summary{margin:10px 0 0;max-width:70ch;color:var(--soft);font-size:17px}
.facts{display:flex;flex-wrap:wrap;gap:6px 22px;margin:18px 0 0;padding:0;list-style:none;color:var(--soft);font-size:13px}
.facts b{color:var(--ink);font-weight:600;font-variant-numeric:tabular-nums}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(158px,1fr));gap:1px;margin:28px 0;background:var(--line);border:1px solid var(--line);border-radius:10px;overflow:hidden}
.figure{background:var(--panel);padding:16px 18px 14px}
.figure dt{margin:0;color:var(--soft);font-size:12.5px}
.figure dd{margin:3px 0 0;font-size:23px;line-height:1.2;font-weight:620;letter-spacing:-.4px;font-variant-numeric:tabular-nums;white-space:nowrap}
.figure small{display:block;margin-top:4px;color:var(--soft);font-size:12px;line-height:1.35}
.good{color:var(--buy)}.bad{color:var(--loss)}
figure{margin:0;background:var(--panel);border:1px solid var(--line);border-radius:10px;padding:12px 8px 4px;overflow-x:auto}
figure svg{display:block;width:100%;min-width:720px;height:auto}
.tables{display:grid;grid-template-columns:repeat(auto-fit,minmax(320px,1fr));gap:0 36px;align-items:start}
table{width:100%;border-collapse:collapse;font-size:13.5px;font-variant-numeric:tabular-nums}
th{padding:6px 10px 6px 0;color:var(--soft);font-weight:500;text-align:left;border-bottom:1px solid var(--axis)}
td{padding:6px 10px 6px 0;border-bottom:1px solid var(--line)}
.number{text-align:right;padding-right:0}
.number+.number{padding-left:14px}
details{margin-top:34px}
summary{cursor:pointer;font-size:18px;font-weight:600}
pre{margin:12px 0 0;padding:16px 18px;background:var(--panel);border:1px solid var(--line);border-radius:10px;overflow-x:auto;font:12px/1.55 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;white-space:pre-wrap;overflow-wrap:anywhere}
footer{margin-top:36px;padding-top:16px;border-top:1px solid var(--line);color:var(--soft);font-size:12.5px;overflow-wrap:anywhere}
@media print{main{padding:0}figure{break-inside:avoid}}
`
