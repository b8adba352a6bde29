import type { DescribedCommand, DescribedOption, Place } from './described-command.js';

/** The script for zsh: a file `_prune` in a folder of `fpath`, or sourced after `compinit`. */
export function zshCompletion(program: DescribedCommand, commands: readonly DescribedCommand[]): string {
  const names = commands.map(
    ({ name, description }) => `    ${quoted(`${name}:${description.replaceAll(':', '\\:')}`)}`,
  );
  const cases = commands.map((command) => {
    const specs = [...command.options.flatMap(optionSpecs), ...argumentSpecs(command)];
    return `    ${command.name})\n      _arguments ${specs.map((spec) => `\\\n        ${spec}`).join(' ')}\n      ;;`;
  });
  return `#compdef prune
# zsh completion of prune. In ~/.zshrc, after compinit: source <(prune completion zsh)
_prune() {
  local -a commands
  commands=(
${names.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    _arguments ${program.options.flatMap(optionSpecs).join(' ')}
    return
  fi
  shift words
  (( CURRENT-- ))
  case $words[1] in
${cases.join('\n')}
  esac
}
if [[ $funcstack[1] == _prune ]]; then
  _prune "$@"
else
  compdef _prune prune
fi`;
}

/** Names of one option exclude each other. */
function optionSpecs({ names, description, value }: DescribedOption): string[] {
  const text = description.replace(/[[\]:\\]/g, (character) => `\\${character}`);
  const action = value === undefined ? '' : `:value:${actionOf(value)}`;
  const others = names.length > 1 ? `(${names.join(' ')})` : '';
  return names.map((name) => quoted(`${others}${name}[${text}]${action}`));
}

function argumentSpecs(command: DescribedCommand): string[] {
  return command.arguments.map(({ name, place }, i) => quoted(`${i + 1}:${name}:${actionOf(place)}`));
}

function actionOf(place: Place): string {
  if (place === 'file') return '_files';
  return place === 'text' ? '' : `(${place.join(' ')})`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
