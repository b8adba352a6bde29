import fc from 'fast-check';
import { expect, test } from 'vitest';
import { escapeControls } from './escape-controls.js';

/** The code units that must not reach a terminal, spelled out: not by the classes that the function uses. */
function isControl(unit: number): boolean {
  return (
    unit < 0x20 ||
    (unit >= 0x7f && unit <= 0x9f) ||
    [0x061c, 0x200e, 0x200f, 0x2028, 0x2029].includes(unit) ||
    (unit >= 0x202a && unit <= 0x202e) ||
    (unit >= 0x2066 && unit <= 0x2069)
  );
}

const isSurrogate = (unit: number) => unit >= 0xd800 && unit <= 0xdfff;

test('empty', () => {
  expect(escapeControls('')).toBe('');
});

test('every code unit alone', () => {
  const wrong: number[] = [];
  for (let unit = 0; unit < 2 ** 16; unit++) {
    const character = String.fromCharCode(unit);
    const escaped = escapeControls(character);
    const isRight =
      isControl(unit) || isSurrogate(unit)
        ? /^\\[nrtu]/.test(escaped) && JSON.parse(`"${escaped}"`) === character
        : escaped === character;
    if (!isRight) wrong.push(unit);
  }
  expect(wrong).toEqual([]);
});

test('newline, return and tab have short forms, and lines can be kept', () => {
  expect(escapeControls('a\nb\tc\rd\x1b[2J')).toBe('a\\nb\\tc\\rd\\u001b[2J');
  expect(escapeControls('a\nb\tc\rd\x1b[2J', { keepLines: true })).toBe('a\nb\tc\\rd\\u001b[2J');
});

test('pairs of surrogates stay, in any mixture with lone ones', () => {
  expect(escapeControls('😀')).toBe('😀');
  expect(escapeControls('\ud83d😀\ude00')).toBe('\\ud83d😀\\ude00');
});

// Every code unit, those that matter more often than the others.
const units = fc.oneof(
  fc.integer({ min: 0, max: 0xffff }),
  fc.integer({ min: 0, max: 0xff }),
  fc.integer({ min: 0x2000, max: 0x2070 }),
  fc.integer({ min: 0xd7f0, max: 0xe010 }),
);
const texts = fc.array(units).map((array) => String.fromCharCode(...array));

test('no control is left, once is enough, and the length is bounded', () => {
  fc.assert(
    fc.property(texts, fc.boolean(), (text, keepLines) => {
      const escaped = escapeControls(text, { keepLines });
      const left = keepLines ? escaped.replace(/[\n\t]/g, '') : escaped;
      expect([...left].filter((c) => isControl(c.charCodeAt(0)) || /^\p{Cs}$/u.test(c))).toEqual([]);
      expect(escapeControls(escaped, { keepLines })).toBe(escaped);
      expect(escaped.length).toBeLessThanOrEqual(6 * text.length);
    }),
  );
});

test('JSON text keeps its value', () => {
  fc.assert(
    fc.property(texts, texts, (name, value) => {
      const json = JSON.stringify({ [name]: [value] }, null, 2);
      expect(JSON.parse(escapeControls(json, { keepLines: true }))).toEqual(JSON.parse(json));
    }),
  );
});
