/** The interner (see _interner.ts) on its own: growing it, and interning one text from the host. */

import { intern, moveSlots } from './_interner';

export { moveSlots };

/** Code of the text, or 0xfffffffe where the host must grow the table first. */
export function internText(state: usize, text: usize, length: u32): u32 {
  return intern(state, text, length);
}
