// The build without `new Function`, which a strict content-security policy forbids, has no types of its own.
declare module 'msgpackr/index-no-eval' {
  export { Packr } from 'msgpackr';
}
