import { expect, test } from 'vitest';
import { IDLE_CONTEXT } from '../test/idle-context.js';
import { createProgram } from './program.js';

const commands = (ownModel?: string) => createProgram(IDLE_CONTEXT, ownModel).commands;

test('the demo is a command where its model is, and no command elsewhere', () => {
  const inRepository = commands().map((command) => command.name());
  expect(inRepository.at(-1)).toBe('demo');
  expect(commands('/absent/models/mini-qa').map((command) => command.name())).toEqual(inRepository.slice(0, -1));
});

test('an option takes the same value in every command', () => {
  const forms = new Map<string, Set<string>>();
  for (const { long, flags } of commands().flatMap(({ options }) => options)) {
    forms.set(long!, (forms.get(long!) ?? new Set()).add(flags));
  }
  expect(forms.size).toBeGreaterThan(30);
  // What is written is a file or a folder.
  expect([...forms.values()].filter(({ size }) => size > 1).map((flags) => [...flags])).toEqual([
    ['-o, --output <file>', '-o, --output <dir>'],
  ]);
});
