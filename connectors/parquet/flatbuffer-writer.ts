/**
 * Writing a flatbuffer: enough for the metadata of Arrow messages.
 *
 * A value is described as a tree and laid out from its root on, parents before children, so that
 * every offset points ahead and is patched in when the child has its place.
 */

/** What stands in a field of a table; `undefined` is a field that has its default. */
export type FlatField =
  | undefined
  | { readonly bytes: 1 | 2 | 4 | 8; readonly value: number }
  | FlatNode;

export type FlatNode =
  | { readonly kind: 'table'; readonly fields: readonly FlatField[] }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'vector'; readonly items: readonly FlatNode[] }
  /** A vector of structs that are made of int64 alone, `width` of them each. */
  | { readonly kind: 'structs'; readonly width: number; readonly longs: readonly number[] };

export function flatTable(...fields: readonly FlatField[]): FlatNode {
  return { kind: 'table', fields };
}

export function flatNumber(bytes: 1 | 2 | 4 | 8, value: number): FlatField {
  return { bytes, value };
}

const SIZE_START = 1024;

/** The bytes of a tree, padded to a multiple of 8. */
export function writeFlatbuffer(root: FlatNode): Uint8Array {
  const writer = new FlatbufferWriter();
  return writer.finish(root);
}

class FlatbufferWriter {
  #bytes = Buffer.alloc(SIZE_START);
  #end = 4;

  finish(root: FlatNode): Uint8Array {
    this.#point(0, root);
    this.#end += -this.#end & 7;
    this.#reserve();
    return this.#bytes.subarray(0, this.#end);
  }

  /** Writes a node and, at `from`, the offset to it. */
  #point(from: number, node: FlatNode): void {
    const place = this.#put(node);
    this.#bytes.writeUInt32LE(place - from, from);
  }

  #put(node: FlatNode): number {
    switch (node.kind) {
      case 'table':
        return this.#table(node.fields);
      case 'text':
        return this.#text(node.text);
      case 'vector':
        return this.#vector(node.items);
      case 'structs':
        return this.#structs(node.width, node.longs);
    }
  }

  #table(fields: readonly FlatField[]): number {
    const vtableBytes = 4 + 2 * fields.length;
    // 4 bytes short of a multiple of 8: behind the offset of the vtable come the largest fields.
    const table = ((this.#end + vtableBytes + 4 + 7) & ~7) - 4;
    const vtable = table - vtableBytes;
    const places = fields.map(() => 0);
    let size = 4;
    for (const width of [8, 4, 2, 1]) {
      for (const [index, field] of fields.entries()) {
        if (field === undefined || widthOf(field) !== width) continue;
        places[index] = size;
        size += width;
      }
    }
    this.#end = table + size;
    this.#reserve();
    this.#bytes.writeUInt16LE(vtableBytes, vtable);
    this.#bytes.writeUInt16LE(size, vtable + 2);
    this.#bytes.writeInt32LE(vtableBytes, table);
    for (const [index, place] of places.entries()) {
      this.#bytes.writeUInt16LE(place, vtable + 4 + 2 * index);
    }
    for (const [index, field] of fields.entries()) {
      if (field === undefined) continue;
      const place = table + places[index]!;
      if ('kind' in field) this.#point(place, field);
      else if (field.bytes === 8) this.#bytes.writeBigInt64LE(BigInt(field.value), place);
      else this.#bytes.writeIntLE(field.value, place, field.bytes);
    }
    return table;
  }

  #text(text: string): number {
    const bytes = Buffer.from(text);
    const place = this.#allocate(4 + bytes.length + 1, 4);
    this.#bytes.writeUInt32LE(bytes.length, place);
    this.#bytes.set(bytes, place + 4);
    return place;
  }

  #vector(items: readonly FlatNode[]): number {
    const place = this.#allocate(4 + 4 * items.length, 4);
    this.#bytes.writeUInt32LE(items.length, place);
    for (const [index, item] of items.entries()) this.#point(place + 4 + 4 * index, item);
    return place;
  }

  #structs(width: number, longs: readonly number[]): number {
    // The elements are aligned to 8, and the count stands right before them.
    const place = this.#allocate(8 + 8 * longs.length, 8) + 4;
    this.#bytes.writeUInt32LE(longs.length / width, place);
    for (const [index, value] of longs.entries()) {
      this.#bytes.writeBigInt64LE(BigInt(value), place + 4 + 8 * index);
    }
    return place;
  }

  #allocate(size: number, alignment: number): number {
    const place = this.#end + (-this.#end & (alignment - 1));
    this.#end = place + size;
    this.#reserve();
    return place;
  }

  /** Makes room for what has been laid out. */
  #reserve(): void {
    if (this.#end <= this.#bytes.length) return;
    const grown = Buffer.alloc(Math.max(this.#end, this.#bytes.length * 2));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}

function widthOf(field: FlatField & object): number {
  return 'kind' in field ? 4 : field.bytes;
}
