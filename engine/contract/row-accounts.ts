/**
 * No row disappears: every row read is counted once as processed, late, rejected or duplicate, and
 * the four add up to the rows read. `read` and `rejected` are counted where rows are decoded, the
 * others where they are worked on, so the sum is a check and not a definition.
 */

export interface RowAccounts {
  read: number;
  processed: number;
  late: number;
  rejected: number;
  duplicate: number;
}

export function emptyAccounts(): RowAccounts {
  return { read: 0, processed: 0, late: 0, rejected: 0, duplicate: 0 };
}

export function addAccounts(into: RowAccounts, more: Readonly<Partial<RowAccounts>>): void {
  into.read += more.read ?? 0;
  into.processed += more.processed ?? 0;
  into.late += more.late ?? 0;
  into.rejected += more.rejected ?? 0;
  into.duplicate += more.duplicate ?? 0;
}

/** Rows read that no account holds; 0 unless the engine is wrong. */
export function unaccountedRows(accounts: Readonly<RowAccounts>): number {
  return (
    accounts.read - accounts.processed - accounts.late - accounts.rejected - accounts.duplicate
  );
}
