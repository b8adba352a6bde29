import { Argument } from 'commander';

/** The name of standard input as a file. */
const STANDARD_INPUT = '/dev/stdin';

/** An argument that is a model; `-` reads standard input. */
export function modelArgument(name: string, description: string): Argument {
  return new Argument(name, description).argParser((path) => (path === '-' ? STANDARD_INPUT : path));
}
