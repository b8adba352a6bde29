import { readFileSync } from 'node:fs';

/**
 * The TypeScript examples of a Markdown file, each with the line where it begins and whether Node can run it, and the
 * packages that the file's `npm install` lines name. An example for pages or edge runtimes alone says `no-run` after
 * its language.
 */
export function readmeExamples(path) {
  const text = readFileSync(path, 'utf8');
  const examples = [];
  const installs = new Set();
  for (const { index, groups } of text.matchAll(/^```(?<language>\w+)(?<info>[^\n]*)\n(?<code>[\s\S]*?)^```$/gm)) {
    const line = text.slice(0, index).split('\n').length + 1;
    if (groups.language === 'ts') examples.push({ line, code: groups.code, runs: groups.info.trim() !== 'no-run' });
    if (groups.language !== 'sh') continue;
    for (const [, names] of groups.code.matchAll(/^npm install (?!--global)(.+)$/gm)) {
      for (const name of names.split('#')[0].trim().split(/\s+/)) installs.add(name);
    }
  }
  return { examples, installs: [...installs] };
}
