/**
 * The order of steps: every step after its input. Each step has one input, so following inputs
 * from a step either ends at a source or runs into a ring.
 */

export interface StepOrder {
  /** Names, inputs first; among equals in the order of the file. Steps of rings are left out. */
  readonly order: readonly string[];
  /** Each ring once, in the direction in which rows would flow, from its first step in the file. */
  readonly rings: readonly (readonly string[])[];
}

/** @param inputs Step name to the name of what it reads; a name that is no step ends the chain. */
export function orderSteps(inputs: ReadonlyMap<string, string | undefined>): StepOrder {
  const order: string[] = [];
  const rings: (readonly string[])[] = [];
  const state = new Map<string, 'open' | 'ordered' | 'ring'>();
  for (const start of inputs.keys()) {
    const chain: string[] = [];
    let name: string | undefined = start;
    while (name !== undefined && inputs.has(name) && !state.has(name)) {
      state.set(name, 'open');
      chain.push(name);
      name = inputs.get(name);
    }
    if (name !== undefined && state.get(name) === 'open') {
      const ring = chain.splice(chain.indexOf(name));
      for (const member of ring) state.set(member, 'ring');
      rings.push(fromFirst(ring.reverse(), inputs));
    }
    for (const member of chain.reverse()) {
      state.set(member, 'ordered');
      order.push(member);
    }
  }
  return { order, rings };
}

/** The ring, turned so that it begins with its first step in the file. */
function fromFirst(
  ring: readonly string[],
  inputs: ReadonlyMap<string, string | undefined>,
): readonly string[] {
  const members = new Set(ring);
  for (const name of inputs.keys()) {
    if (!members.has(name)) continue;
    const first = ring.indexOf(name);
    return [...ring.slice(first), ...ring.slice(0, first)];
  }
  return ring;
}
