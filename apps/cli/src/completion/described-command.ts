import type { Argument, Command, Option } from 'commander';

/** What stands in a place of the command line: a file or folder, one of some words, or a text that no shell knows. */
export type Place = 'file' | 'text' | readonly string[];

/** An option as a shell completes it. */
export interface DescribedOption {
  /** `-o` and `--output`, or one of them. */
  readonly names: readonly string[];
  readonly description: string;
  /** What its value is; `undefined` for a flag. */
  readonly value?: Place;
}

/** A command as a shell completes it. */
export interface DescribedCommand {
  readonly name: string;
  readonly description: string;
  readonly options: readonly DescribedOption[];
  readonly arguments: readonly { readonly name: string; readonly place: Place }[];
}

/** The names of values and arguments, as the help shows them, that are files or folders. */
const FILE_NAMES: ReadonlySet<string> = new Set([
  'file',
  'dir',
  'model_dir',
  'checkpoint',
  'squad',
  'in',
  'out',
  'a',
  'b',
]);

/** What a shell needs to know of a command of the program, or of the program itself. */
export function describedCommand(command: Command): DescribedCommand {
  return {
    name: command.name(),
    description: command.description(),
    options: command.createHelp().visibleOptions(command).map(describedOption),
    arguments: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      place: placeOf(argument.name(), argument),
    })),
  };
}

function describedOption(option: Option): DescribedOption {
  const names = [option.short, option.long].filter((name) => name !== undefined);
  const value = /[<[]([^\].>]+)/.exec(option.flags)?.[1];
  const { description } = option;
  return value === undefined ? { names, description } : { names, description, value: placeOf(value, option) };
}

function placeOf(name: string, { argChoices }: Pick<Option | Argument, 'argChoices'>): Place {
  return argChoices ?? (FILE_NAMES.has(name) ? 'file' : 'text');
}
