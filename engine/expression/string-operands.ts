/**
 * String operands under one dictionary, so that equal codes mean equal texts.
 *
 * A key column has the dictionary of its task, other strings that of the slot. A literal takes its
 * code from the column it is compared with; columns of different dictionaries are translated.
 */

import type { Dictionary, StringTable } from '../contract/batch.ts';
import type { ColumnMachine, Operand } from './operand.ts';
import { CODE_OF_NO_TEXT, StringCodes } from './string-codes.ts';

/** A literal: no codes yet, because they depend on what it meets. */
interface LiteralOperand extends Operand {
  readonly text: string;
}

function isLiteral(operand: Operand): operand is LiteralOperand {
  return 'text' in operand;
}

export class StringOperands {
  readonly #machine: ColumnMachine;
  readonly #strings: StringTable;
  readonly #codes = new StringCodes();

  constructor(machine: ColumnMachine, strings: StringTable) {
    this.#machine = machine;
    this.#strings = strings;
  }

  /** The same with tables of its own: dictionaries meet in other pairs at another node. */
  fork(): StringOperands {
    return new StringOperands(this.#machine, this.#strings);
  }

  literal(text: string): Operand {
    const operand = this.#machine.code(this.#strings.intern(text), this.#strings);
    return { ...operand, text } as LiteralOperand;
  }

  /** Both with codes of one dictionary; a text that it lacks gets a code equal to no other. */
  comparable(a: Operand, b: Operand, rows: number): readonly [Operand, Operand] {
    const from = a.dictionary;
    const to = b.dictionary;
    if (from === undefined || to === undefined || from === to) return [a, b];
    if (isLiteral(a)) return [this.#encode(a, to), b];
    if (isLiteral(b)) return [a, this.#encode(b, from)];
    return [this.#translate(a, from, to, (text) => to.codeOf(text), rows), b];
  }

  /** All with codes of one dictionary, to which texts are added where it lacks them. */
  unified(operands: readonly Operand[], rows: number): readonly Operand[] {
    const dictionaries = new Set(operands.flatMap(({ dictionary }) => dictionary ?? []));
    if (dictionaries.size <= 1) return operands;
    return operands.map((operand) => {
      const { dictionary } = operand;
      if (dictionary === undefined || dictionary === this.#strings) return operand;
      return this.#translate(
        operand,
        dictionary,
        this.#strings,
        (text) => this.#strings.intern(text),
        rows,
      );
    });
  }

  #encode({ text }: LiteralOperand, dictionary: Dictionary): Operand {
    const code = dictionary.codeOf(text);
    return this.#machine.code(code < 0 ? CODE_OF_NO_TEXT : code, dictionary);
  }

  #translate(
    operand: Operand,
    source: Dictionary,
    target: Dictionary,
    codeOf: (text: string) => number,
    rows: number,
  ): Operand {
    const codes = this.#codes.table(source, target, codeOf);
    const table = this.#machine.table(codes);
    const translated = this.#machine.unary(
      (values, out, count) => this.#machine.loops.translateCodes(values, table, out, count),
      'string',
      operand,
      rows,
    );
    return { ...translated, dictionary: target };
  }
}
