/** A smaller state takes a word. */
export const LEAST_STATE: u32 = 32768;

/** The state, with the word at `word` when it needs one. */
@inline
export function refilled(state: u32, needs: bool, word: u32): u32 {
  return select((state << 16) | <u32>load<u16>(word), state, needs);
}

/** The state at the head of words. */
@inline
export function stateAt(word: u32): u32 {
  return (<u32>load<u16>(word) << 16) | <u32>load<u16>(word, 2);
}

/** States are below 2^31 too. */
@inline
export function isState(state: u32): bool {
  return <i32>state >= <i32>LEAST_STATE;
}
