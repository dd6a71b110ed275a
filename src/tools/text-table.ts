/** Columns as wide as their widest cell, apart from the last one. */

const CELL_WIDTH_MIN = 13;
const PADDING_WIDTH = 2;

/** A line per row, each ended. */
export function textTable(rows: readonly (readonly string[])[]): string {
  const columnCount = rows[0]?.length ?? 0;
  const widths: number[] = [];
  for (let column = 0; column < columnCount - 1; column++) {
    const widest = Math.max(...rows.map((row) => row[column]!.length));
    widths.push(Math.max(CELL_WIDTH_MIN, widest + PADDING_WIDTH));
  }
  return rows
    .map((row) => `${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('')}\n`)
    .join('');
}
