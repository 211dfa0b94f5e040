import { useVirtualizer } from "@tanstack/react-virtual";
import type { ReactNode } from "react";
import { useRef } from "react";

export interface Column<T> { title: string; cell: (row: T) => ReactNode; number?: boolean }

const rowHeight = 32;

/** A dense table that draws only the rows in sight. */
export function Table<T>({ label, columns, rows, rowKey, id }: {
  label: string; columns: Column<T>[]; rows: T[]; rowKey: (row: T, i: number) => string; id?: (row: T) => string | undefined;
}) {
  const box = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => rowHeight, overscan: 20, initialRect: { width: 1000, height: 700 } });
  const items = virtual.getVirtualItems();
  const first = items[0], last = items[items.length - 1];
  const after = last ? virtual.getTotalSize() - last.end : 0;
  return (
    <div className="scroll" ref={box} tabIndex={0} role="region" aria-label={label}>
      <table aria-rowcount={rows.length}>
        <thead><tr>{columns.map((c) => <th key={c.title} scope="col" className={c.number ? "number" : undefined}>{c.title}</th>)}</tr></thead>
        <tbody>
          {first && first.start > 0 && <tr aria-hidden><td colSpan={columns.length} height={first.start} /></tr>}
          {items.map((item) => {
            const row = rows[item.index];
            if (row === undefined) return null;
            return (
              <tr key={rowKey(row, item.index)} id={id?.(row)}>
                {columns.map((c) => <td key={c.title} className={c.number ? "number" : undefined}>{c.cell(row)}</td>)}
              </tr>
            );
          })}
          {after > 0 && <tr aria-hidden><td colSpan={columns.length} height={after} /></tr>}
        </tbody>
      </table>
    </div>
  );
}
