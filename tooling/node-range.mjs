/**
 * Whether a version of Node is in a range such as `^20.19.0 || >=24.0.0`, the only forms that our package.json uses.
 */
export function inNodeRange(version, range) {
  return range.split(' || ').some((part) => isIn(version, part));
}

function isIn(version, part) {
  const [, sign, least] = /^(\^|>=)(\d+\.\d+\.\d+)$/.exec(part);
  const [wanted, got] = [least, version].map((text) => text.split('.').map(Number));
  if (sign === '^' && got[0] !== wanted[0]) return false;
  const differing = wanted.findIndex((number, i) => number !== got[i]);
  return differing < 0 || got[differing] > wanted[differing];
}
