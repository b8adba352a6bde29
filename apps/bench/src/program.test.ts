import { describe, expect, it } from 'vitest';
import { createProgram } from './program.js';
import { SECTIONS } from './sections/section-names.js';

/** What a command line that is refused, or only asks for help, ends with. */
async function refusal(...args: string[]): Promise<{ code: string; said: string }> {
  let said = '';
  const program = createProgram(args).configureOutput({
    writeOut: (text) => {
      said += text;
    },
    writeErr: (text) => {
      said += text;
    },
  });
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    return { code: (error as { code: string }).code, said };
  }
  throw new Error('it ran');
}

describe('the command line', () => {
  it('--help names every section and the exit statuses', async () => {
    const { code, said } = await refusal('--help');
    expect(code).toBe('commander.helpDisplayed');
    for (const section of SECTIONS) expect(said).toContain(section);
    expect(said).toContain('Exit status: 0 measured');
  });

  it.each([
    [['--model', '/nope'], 'missing', /^\/nope: no such folder, wanted [^\n]+$/],
    [['--from', '/nope.json'], 'missing', /^\/nope\.json: no such file$/],
    [['--from', import.meta.filename], 'corrupt', /program\.test\.ts: not JSON: [^\n]+$/],
  ])('says in one line that %j cannot be read', async (args, code, message) => {
    const error = await createProgram(args)
      .parseAsync(args, { from: 'user' })
      .catch((error) => error);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it.each([
    [['--only', ''], 'is none of sizes, codec'],
    [['--only', 'sizes,color'], '"color" is none of'],
    [['--rounds', '0'], 'wanted an integer of at least 1'],
    [['--rounds', '2.5'], 'wanted an integer of at least 1'],
    [['--fast'], "unknown option '--fast'"],
  ])('refuses %j before anything is measured', async (args, said) => {
    expect((await refusal(...args)).said).toContain(said);
  });
});
