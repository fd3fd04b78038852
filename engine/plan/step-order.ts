/**
 * The order of steps: every step after its inputs. Inputs are followed from a step, depth first, to
 * sources or into a ring.
 */

export interface StepOrder {
  /** Names, inputs first; among equals in the order of the file. Steps of rings are left out. */
  readonly order: readonly string[];
  /**
   * Rings that share no step, in the direction in which rows would flow, each from its first step
   * in the file. Where rings share steps, one of them is given.
   */
  readonly rings: readonly (readonly string[])[];
}

interface Visit {
  readonly name: string;
  readonly inputs: readonly string[];
  next: number;
}

/** @param inputs Step name to the names of what it reads; one that is no step ends the chain. */
export function orderSteps(inputs: ReadonlyMap<string, readonly string[]>): StepOrder {
  const order: string[] = [];
  const rings: (readonly string[])[] = [];
  const inRings = new Set<string>();
  const state = new Map<string, 'open' | 'done'>();
  const path: Visit[] = [];
  const enter = (name: string): void => {
    state.set(name, 'open');
    path.push({ name, inputs: inputs.get(name)!, next: 0 });
  };
  const close = (first: string): void => {
    const ring = path.slice(path.findIndex(({ name }) => name === first)).map(({ name }) => name);
    if (ring.some((name) => inRings.has(name))) return;
    for (const name of ring) inRings.add(name);
    rings.push(fromFirst(ring.reverse(), inputs));
  };
  for (const start of inputs.keys()) {
    if (!state.has(start)) enter(start);
    while (path.length > 0) {
      const visit = path[path.length - 1]!;
      const name = visit.inputs[visit.next++];
      if (name === undefined) {
        path.pop();
        state.set(visit.name, 'done');
        if (!inRings.has(visit.name)) order.push(visit.name);
      } else if (state.get(name) === 'open') close(name);
      else if (inputs.has(name) && !state.has(name)) enter(name);
    }
  }
  return { order, rings };
}

/** The ring, turned so that it begins with its first step in the file. */
function fromFirst(
  ring: readonly string[],
  inputs: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  const members = new Set(ring);
  for (const name of inputs.keys()) {
    if (!members.has(name)) continue;
    const first = ring.indexOf(name);
    return [...ring.slice(first), ...ring.slice(0, first)];
  }
  return ring;
}
