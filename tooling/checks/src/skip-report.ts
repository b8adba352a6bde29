import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Reporter, TestModule, Vitest } from 'vitest/node';
import { BENCH_SKIP_CONDITIONS } from '../../../apps/bench/test/skip-conditions.js';
import { SKIP_CONDITIONS } from '../../fixtures/src/index.js';
import { type AllowedSkips, type CollectedTest, judgeSkips } from './judge-skips.js';

const LIST = 'tooling/allowed-skips.json';
const root = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * A reporter for Vitest: prints which tests were skipped and why. With `CI` set it fails the run for a skip that the
 * list does not allow, and for an entry of the list that matches no test.
 */
export default class SkipReport implements Reporter {
  #vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  async onTestRunEnd(modules: readonly TestModule[], _: unknown, reason: string): Promise<void> {
    // `-t` skips all tests that it does not name, and an interrupted run skips all that it did not reach.
    if (reason === 'interrupted' || this.#vitest?.config.testNamePattern !== undefined) return;
    const list: AllowedSkips = JSON.parse(readFileSync(`${root}${LIST}`, 'utf8'));
    const { excused, problems } = await judgeSkips(modules.flatMap(testsOf), list, {
      conditions: { ...SKIP_CONDITIONS, ...BENCH_SKIP_CONDITIONS },
      isFile: (path) => statSync(`${root}${path}`, { throwIfNoEntry: false })?.isFile() ?? false,
    });
    for (const [condition, tests] of excused) {
      console.log(`Skipped, ${condition}: ${list.conditions[condition]}`);
      for (const { file, name } of tests) console.log(`  ${file}: ${name}`);
    }
    if (problems.length === 0) return;
    const fails = Boolean(process.env.CI);
    console.error(
      `${LIST} ${fails ? 'does not agree with this run' : 'does not agree with this run, which fails in CI'}:`,
    );
    for (const problem of problems) console.error(`  ${problem}`);
    if (fails) process.exitCode = 1;
  }
}

function testsOf(module: TestModule): CollectedTest[] {
  return Array.from(module.children.allTests(), (test) => ({
    file: module.relativeModuleId,
    name: test.fullName,
    skipped: test.result().state === 'skipped',
  }));
}
