/** Reads many DBN files of trades, with the usual columns, one after another. */

import { ColumnStore } from '../formats/column-store.ts';
import { openDbn } from '../formats/dbn-decoder.ts';
import { columnsOf } from './file-fields.ts';
import { parseOptions, rowsOf } from './read-file.fixture.ts';

/** Many files through one reader's memory: each memory reserves address space. */
const shared = new ColumnStore(columnsOf(parseOptions({ path: 'a.dbn' }), 'symbol'), 4096);

export async function readShared(path: string): Promise<{ rows: unknown[][]; error?: unknown }> {
  const rows: unknown[][] = [];
  try {
    const format = { schema: 'trades', rejectsBadQuality: false } as const;
    const decoder = await openDbn(path, shared, format);
    for (;;) {
      const batch = await decoder.next().catch(async (error: unknown) => {
        await decoder.close();
        throw error;
      });
      if (batch === undefined) break;
      rows.push(...rowsOf({ ...batch, unit: 0, bytesRead: 0 }));
    }
    await decoder.close();
    return { rows };
  } catch (error) {
    return { rows, error };
  }
}
