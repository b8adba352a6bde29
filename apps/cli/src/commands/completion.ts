import { PruneError } from '@prune/core';
import { Argument, type Command } from 'commander';
import { bashCompletion } from '../completion/bash-completion.js';
import { describedCommand } from '../completion/described-command.js';
import { fishCompletion } from '../completion/fish-completion.js';
import { zshCompletion } from '../completion/zsh-completion.js';
import { print } from '../console/print.js';

const SCRIPTS = new Map([
  ['bash', bashCompletion],
  ['zsh', zshCompletion],
  ['fish', fishCompletion],
]);

/** `prune completion`: a script that makes a shell complete commands, options and their values. */
export function register(program: Command): void {
  const shells = [...SCRIPTS.keys()];
  program
    .command('completion')
    .description('print a script with which a shell completes the commands and options of prune')
    // An unknown shell is refused below, where its name is escaped as in every other error.
    .addArgument(new Argument('<shell>', 'bash, zsh or fish').choices(shells).argParser((name) => name))
    .addHelpText(
      'after',
      '\nbash: source <(prune completion bash) in ~/.bashrc\n' +
        'zsh:  source <(prune completion zsh) in ~/.zshrc, after compinit\n' +
        'fish: prune completion fish > ~/.config/fish/completions/prune.fish',
    )
    .action((shell: string) => {
      const script = SCRIPTS.get(shell);
      if (script === undefined) {
        throw new PruneError('invalid-argument', { what: 'shell', got: shell, wanted: shells.join(', ') });
      }
      print(script(describedCommand(program), program.commands.map(describedCommand)));
    });
}
