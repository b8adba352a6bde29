import { expect, test } from 'vitest';
import { isPruneError, locateError, PruneError } from './prune-error.js';

test('a message says where, what, got, wanted and the tensor', () => {
  const error = new PruneError('corrupt', {
    where: 'csr',
    what: 'indptr[17] exceeds nnz',
    got: 902,
    wanted: 'at most 900',
    tensor: 'encoder.layer.0.attention.self.query',
  });
  expect(error.message).toBe(
    'csr: indptr[17] exceeds nnz, got 902, wanted at most 900 (tensor "encoder.layer.0.attention.self.query")',
  );
});

test('a message names the text at fault among several, the first too', () => {
  const error = new PruneError('limit', { where: 'bert-infer', what: 'text is too long', got: 9, wanted: 8, text: 0 });
  expect(error.message).toBe('bert-infer: text is too long, got 9, wanted 8 (texts[0])');
});

test('every part of a message has its control characters escaped, and the fields keep them', () => {
  const details = { where: 'a\x1b[2J', what: 'b\n', got: 'c\x9b', wanted: 'd\u202e', tensor: 'e\x7f' };
  const error = new PruneError('corrupt', details);
  expect(error.message).toBe('a\\u001b[2J: b\\n, got c\\u009b, wanted d\\u202e (tensor "e\\u007f")');
  expect(error).toMatchObject(details);
  expect(locateError(new TypeError('\x1b[2J'), { where: 'x' }).message).toBe('x: \\u001b[2J');
});

test('an error of another installed copy is recognised', () => {
  class Other extends Error {
    code = 'limit';
  }
  const other = Object.defineProperty(new Other('x'), Symbol.for('@prune/core/PruneError'), { value: true });
  expect(isPruneError(other)).toBe(true);
  expect(isPruneError(other, 'limit')).toBe(true);
  expect(isPruneError(other, 'io')).toBe(false);
  expect(isPruneError(new Error('x'))).toBe(false);
  expect(isPruneError('x')).toBe(false);
});

test('locateError fills in the place once and keeps the cause', () => {
  const inner = new PruneError('truncated', { what: 'read past the end', got: 3, wanted: 4 });
  const located = locateError(inner, { where: 'model.prune', tensor: 'a' });
  expect(located).toMatchObject({
    code: 'truncated',
    where: 'model.prune',
    tensor: 'a',
    got: 3,
    wanted: 4,
    cause: inner,
  });
  expect(locateError(located, { where: 'other', tensor: 'b' })).toBe(located);
  expect(locateError(inner, { text: 3 })).toMatchObject({ text: 3, what: inner.what, cause: inner });
  expect(locateError(locateError(inner, { text: 3 }), { text: 4, where: 'x' })).toMatchObject({ text: 3, where: 'x' });
  const foreign = new TypeError('boom');
  expect(locateError(foreign, { where: 'x' })).toMatchObject({ code: 'io', what: 'boom', cause: foreign });
});
