/** The content of tooling/allowed-skips.json. */
export interface AllowedSkips {
  /** For each condition's id a sentence that says what is missing, and how to get it. */
  readonly conditions: Readonly<Record<string, string>>;
  /** Which tests may be skipped while which condition holds. */
  readonly skips: readonly AllowedSkip[];
}

/** Tests of one file that may be skipped while a condition holds. */
export interface AllowedSkip {
  /** Path in the repository. */
  readonly file: string;
  /** A regular expression that matches the whole name of each of these tests, the names of its suites included. */
  readonly test: string;
  readonly condition: string;
}

/** A test that was collected in a run. */
export interface CollectedTest {
  readonly file: string;
  /** The names of its suites and its own, ` > ` between them. */
  readonly name: string;
  readonly skipped: boolean;
}

/** The result of {@link judgeSkips}. */
export interface SkipVerdict {
  /** Skipped tests that the list allows, by the condition that holds. */
  readonly excused: ReadonlyMap<string, readonly CollectedTest[]>;
  /** A sentence for each skip that the list does not allow, and for each entry of the list that matches no test. */
  readonly problems: readonly string[];
}

/** Facts about this machine and the repository. */
export interface SkipFacts {
  /** Tells for each condition's id whether it holds on this machine. Called only for conditions of skipped tests. */
  readonly conditions: Readonly<Record<string, () => boolean | Promise<boolean>>>;
  readonly isFile: (path: string) => boolean;
}

/** Compares the skipped tests of a run, which may be of some files only, with the list of tests that may be skipped. */
export async function judgeSkips(
  tests: readonly CollectedTest[],
  { conditions, skips }: AllowedSkips,
  facts: SkipFacts,
): Promise<SkipVerdict> {
  const problems: string[] = [];
  for (const id of Object.keys(conditions)) {
    if (!(id in facts.conditions)) problems.push(`condition ${id} is described, but no code tells whether it holds`);
  }
  for (const id of Object.keys(facts.conditions)) {
    if (!(id in conditions)) problems.push(`condition ${id} is not described`);
  }
  for (const { file, test, condition } of skips) {
    const names = tests.filter((one) => one.file === file).map(({ name }) => name);
    if (!(condition in conditions)) problems.push(`${file}: unknown condition ${condition}`);
    if (!facts.isFile(file)) problems.push(`${file}: there is no such file, but tests of it are listed`);
    else if (names.length > 0 && !names.some((name) => matches(test, name))) {
      problems.push(`${file}: no test is called ${JSON.stringify(test)}, but it is listed`);
    }
  }

  const excused = new Map<string, CollectedTest[]>();
  const holding = new Map<string, boolean>();
  for (const test of tests.filter(({ skipped }) => skipped)) {
    const ids = skips
      .filter((entry) => entry.file === test.file && matches(entry.test, test.name))
      .map(({ condition }) => condition)
      .filter((id) => id in conditions && id in facts.conditions);
    for (const id of ids) if (!holding.has(id)) holding.set(id, await facts.conditions[id]());
    const reason = ids.find((id) => holding.get(id));
    if (reason !== undefined) excused.set(reason, [...(excused.get(reason) ?? []), test]);
    else if (ids.length === 0) problems.push(`${test.file}: "${test.name}" is skipped and is not listed`);
    else problems.push(`${test.file}: "${test.name}" is skipped, but no condition holds here: ${ids.join(', ')}`);
  }
  return { excused, problems };
}

function matches(pattern: string, name: string): boolean {
  return new RegExp(`^(?:${pattern})$`, 's').test(name);
}
