// The report page's script: draws every plot of the document from the report that is embedded beside it. Bundled into the page; loads nothing.

import { PLOTS } from '../page/plots.js';
import type { Report } from '../report/report.js';

const report: Report = JSON.parse(document.getElementById('report')!.textContent!);

for (const figure of document.querySelectorAll<HTMLElement>('figure[data-plot]')) {
  const { options, draw } = PLOTS[figure.dataset.plot!];
  const choices = options(report);
  const select = document.createElement('select');
  select.setAttribute('aria-label', 'what to show');
  for (const choice of choices) select.append(new Option(choice));
  if (choices.length > 1) figure.append(select);
  const canvas = document.createElement('div');
  figure.append(canvas);

  let width = 0;
  const redraw = () => {
    width = canvas.clientWidth;
    canvas.replaceChildren(draw(report, choices[select.selectedIndex] ?? choices[0], width));
  };
  select.addEventListener('change', redraw);
  new ResizeObserver(() => {
    if (canvas.clientWidth !== width) redraw();
  }).observe(canvas);
  redraw();
}

const THEMES = ['', 'light', 'dark'];
const button = document.getElementById('theme') as HTMLButtonElement;
button.hidden = false;
button.addEventListener('click', () => {
  const next = (THEMES.indexOf(document.documentElement.dataset.theme ?? '') + 1) % THEMES.length;
  document.documentElement.dataset.theme = THEMES[next];
  button.textContent = `Theme: ${THEMES[next] || 'as the system'}`;
});
