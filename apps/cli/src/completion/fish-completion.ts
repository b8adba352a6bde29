import type { DescribedCommand, DescribedOption, Place } from './described-command.js';

/** The script for fish. */
export function fishCompletion(program: DescribedCommand, commands: readonly DescribedCommand[]): string {
  const first = '-n __fish_use_subcommand';
  return [
    '# fish completion of prune: prune completion fish > ~/.config/fish/completions/prune.fish',
    'complete -c prune -f',
    ...program.options.map((option) => line(first, optionWords(option))),
    ...commands.flatMap((command) => {
      const inside = `-n '__fish_seen_subcommand_from ${command.name}'`;
      // The first argument stands for all: a command takes files, or words, or texts.
      const place = command.arguments[0]?.place ?? 'text';
      return [
        line(first, `-a ${command.name} -d ${quoted(command.description)}`),
        ...command.options.map((option) => line(inside, optionWords(option))),
        ...(place === 'text' ? [] : [line(inside, valueWords(place))]),
      ];
    }),
  ].join('\n');
}

function line(condition: string, words: string): string {
  return `complete -c prune ${condition} ${words}`;
}

function optionWords({ names, description, value }: DescribedOption): string {
  const flags = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  const taken = value === undefined ? [] : ['-r', valueWords(value)];
  return [...flags, ...taken, `-d ${quoted(description)}`].join(' ');
}

/** Whether files are offered, or which words. */
function valueWords(place: Place): string {
  if (place === 'file') return '-F';
  return place === 'text' ? '-f' : `-f -a ${quoted(place.join(' '))}`;
}

function quoted(text: string): string {
  return `'${text.replace(/['\\]/g, (character) => `\\${character}`)}'`;
}
