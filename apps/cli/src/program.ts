import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { escapeControls } from '@prune/core';
import { Command } from 'commander';
import type { CommandContext } from './command-context.js';
import { register as answer } from './commands/answer.js';
import { register as bundle } from './commands/bundle.js';
import { register as classify } from './commands/classify.js';
import { register as compare } from './commands/compare.js';
import { register as completion } from './commands/completion.js';
import { register as convert } from './commands/convert.js';
import { register as demo } from './commands/demo.js';
import { register as embed } from './commands/embed.js';
import { register as evaluate } from './commands/eval.js';
import { register as inspect } from './commands/inspect.js';
import { register as logits } from './commands/logits.js';
import { register as pack } from './commands/pack.js';
import { register as unpack } from './commands/unpack.js';
import { register as verify } from './commands/verify.js';
import { VERSION } from './version.js';

/** Every command of an installed package, in the order of `prune --help`. */
const COMMANDS = [
  pack,
  unpack,
  convert,
  bundle,
  inspect,
  verify,
  compare,
  answer,
  evaluate,
  embed,
  classify,
  logits,
  completion,
];

/** The repository's own model, as seen from `src/` and from `dist/`. */
const OWN_MODEL = fileURLToPath(new URL('../../../models/mini-qa', import.meta.url));

/** The argument parser with all commands. The demo is one of them where its model is: in the repository only. */
export function createProgram(context: CommandContext, ownModel = OWN_MODEL): Command {
  const program = new Command('prune')
    .description('Store, check and ship extremely sparse int8 BERT models.')
    .version(VERSION)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => process.stdout.write(escapeControls(text, { keepLines: true })),
      writeErr: (text) => process.stderr.write(escapeControls(text, { keepLines: true })),
    })
    .showHelpAfterError('(--help shows the options)')
    .addHelpText(
      'after',
      '\nExit status: 0 done, 1 verify found a difference, 2 not done, 130, 143 or 129 ended by a signal.',
    );
  for (const register of COMMANDS) register(program, context);
  if (existsSync(ownModel)) demo(program, context, ownModel);
  return program;
}
