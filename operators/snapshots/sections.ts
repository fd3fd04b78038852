/**
 * Named byte strings in one table of a snapshot: a JSON header says how long each is.
 *
 *   u32 bytes of the header │ header, UTF-8 │ section │ section │ …
 */

export interface Section {
  readonly name: string;
  readonly bytes: Uint8Array;
}

interface Header {
  readonly title: string;
  readonly sections: readonly { readonly name: string; readonly length: number }[];
}

export function writeSections(title: string, sections: readonly Section[]): Uint8Array {
  const header: Header = {
    title,
    sections: sections.map(({ name, bytes }) => ({ name, length: bytes.length })),
  };
  const head = new TextEncoder().encode(JSON.stringify(header));
  const length = sections.reduce((sum, { bytes }) => sum + bytes.length, 4 + head.length);
  const table = new Uint8Array(length);
  new DataView(table.buffer).setUint32(0, head.length, true);
  table.set(head, 4);
  let at = 4 + head.length;
  for (const { bytes } of sections) {
    table.set(bytes, at);
    at += bytes.length;
  }
  return table;
}

/** Sections are views of the table, at any offset. */
export function readSections(table: Uint8Array): {
  readonly title: string;
  readonly sections: readonly Section[];
} {
  const headBytes = new DataView(table.buffer, table.byteOffset).getUint32(0, true);
  const head = new TextDecoder().decode(table.subarray(4, 4 + headBytes));
  const { title, sections } = JSON.parse(head) as Header;
  let at = 4 + headBytes;
  return {
    title,
    sections: sections.map(({ name, length }) => {
      at += length;
      return { name, bytes: table.subarray(at - length, at) };
    }),
  };
}
