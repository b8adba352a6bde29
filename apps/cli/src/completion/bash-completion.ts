import type { DescribedCommand, Place } from './described-command.js';

/**
 * The script for bash, 3.2 (macOS) too. Where it finds no word, bash offers files, which `compopt` prevents where no
 * file is wanted; bash 3.2 does not have it.
 */
export function bashCompletion(program: DescribedCommand, commands: readonly DescribedCommand[]): string {
  const names = [...commands.map(({ name }) => name), ...program.options.flatMap((option) => option.names)];
  const values = commands.flatMap((command) =>
    command.options.flatMap(({ names, value }) =>
      value === undefined ? [] : [`    ${patterns(command.name, names)}) ${completeOf(value)} ;;`],
    ),
  );
  const options = commands.map(
    (command) => `      ${command.name}) words='${command.options.flatMap((option) => option.names).join(' ')}' ;;`,
  );
  // The first argument stands for all: a command takes files, or words, or texts.
  const places = commands.map(
    ({ name, arguments: [first] }) => `    ${name}) ${completeOf(first?.place ?? 'text')} ;;`,
  );
  return `# bash completion of prune. In ~/.bashrc: source <(prune completion bash)
_prune() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}" words=''
  COMPREPLY=()
  # bash takes --option=value for three words.
  if [ "$current" = '=' ]; then
    current=''
  elif [ "$previous" = '=' ]; then
    previous="\${COMP_WORDS[COMP_CWORD - 2]}"
  fi
  if [ "$COMP_CWORD" -eq 1 ]; then
    _prune_words '${names.join(' ')}'
    return
  fi
  case "\${COMP_WORDS[1]} $previous" in
${values.map((line) => line.replace(/ ;;$/, '; return ;;')).join('\n')}
  esac
  if [ "\${current#-}" != "$current" ]; then
    case "\${COMP_WORDS[1]}" in
${options.join('\n')}
    esac
    _prune_words "$words"
    return
  fi
  case "\${COMP_WORDS[1]}" in
${places.join('\n')}
    *) _prune_words '' ;;
  esac
}
_prune_words() {
  compopt +o default +o bashdefault 2>/dev/null
  COMPREPLY=($(compgen -W "$1" -- "$current"))
}
complete -o bashdefault -o default -F _prune prune`;
}

function patterns(command: string, names: readonly string[]): string {
  return names.map((name) => `'${command} ${name}'`).join(' | ');
}

function completeOf(place: Place): string {
  if (place === 'file') return ':';
  return `_prune_words '${place === 'text' ? '' : place.join(' ')}'`;
}
