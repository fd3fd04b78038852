/** The part of parquetjs-lite that the benchmark uses; it brings no types of its own. */
declare module 'parquetjs-lite' {
  class ParquetSchema {
    constructor(fields: Record<string, { type: string; compression?: string; optional?: boolean }>);
  }
  class ParquetWriter {
    static openFile(schema: ParquetSchema, path: string): Promise<ParquetWriter>;
    setRowGroupSize(rows: number): void;
    appendRow(row: Record<string, unknown>): Promise<void>;
    close(): Promise<void>;
  }
  const parquetjs: {
    readonly ParquetSchema: typeof ParquetSchema;
    readonly ParquetWriter: typeof ParquetWriter;
  };
  export default parquetjs;
}
