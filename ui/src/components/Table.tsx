import "./table.css";
import {
  createSortedRowModel,
  rowSortingFeature,
  tableFeatures,
  useTable,
  type ColumnDef,
} from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, type ReactNode } from "react";
import { slug, useSort, type Sort } from "./useSort";

export interface Column<T> {
  title: string;
  cell: (row: T) => ReactNode;
  /** What the column is sorted by; without it, it is not sorted. Unknown comes last either way. */
  by?: (row: T) => string | number | boolean | null | undefined;
  number?: boolean;
  /** Long text, which may take two lines. */
  wraps?: boolean;
  /** The room the table needs to show it; without it, it is always shown. */
  from?: "medium" | "wide" | "widest";
}

interface Props<T> {
  label: string;
  columns: Column<T>[];
  rows: T[];
  rowKey: (row: T, i: number) => string;
  /** The name of its order in the URL, where a page has more than one table. */
  sort?: string;
  /** An order that the server makes: all rows are in it already. */
  order?: { now: Sort | undefined; change: (sort: Sort | undefined) => void };
  /** One of several tables on a page takes less room. */
  short?: boolean;
  chosen?: (row: T) => boolean;
}

const features = tableFeatures({ rowSortingFeature, sortedRowModel: createSortedRowModel() });

/** A dense table: sorted by its headers, and drawing only the rows in sight. */
export function Table<T extends object>({
  label,
  columns,
  rows,
  rowKey,
  sort = "sort",
  order,
  short = false,
  chosen,
}: Props<T>) {
  const [own, setOwn] = useSort(sort);
  const [now, change] = order ? [order.now, order.change] : [own, setOwn];
  const table = useTable({
    features,
    data: rows,
    getRowId: rowKey,
    manualSorting: order !== undefined,
    columns: useMemo(
      () =>
        columns.map((c): ColumnDef<typeof features, T> => ({
          id: slug(c.title),
          accessorFn: (row) => c.by?.(row) ?? undefined,
          enableSorting: c.by !== undefined,
          sortUndefined: "last",
          sortFn: compare,
        })),
      [columns],
    ),
    state: { sorting: now ? [{ id: now.column, desc: now.down }] : [] },
  });
  const sorted = table.getRowModel().rows;
  const box = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: sorted.length,
    getScrollElement: () => box.current,
    estimateSize: () => 33,
    overscan: 20,
    initialRect: { width: 1000, height: 700 },
  });
  const items = virtual.getVirtualItems();
  const first = items[0],
    last = items[items.length - 1];
  // On a phone a row is a card (table.css): what comes after its heading is named. The roles keep it a table.
  const head = Math.max(
    0,
    columns.findIndex((c) => c.wraps),
  );
  const after = last ? virtual.getTotalSize() - last.end : 0;
  return (
    <div className="scroll" data-short={short || undefined} ref={box} tabIndex={0} role="region" aria-label={label}>
      <table role="table" aria-rowcount={rows.length + 1}>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((c) => (
              <Head key={c.title} column={c} now={now} change={change} />
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {first && first.start > 0 && (
            <tr aria-hidden>
              <td colSpan={columns.length} height={first.start} />
            </tr>
          )}
          {items.map((item) => {
            const row = sorted[item.index];
            if (row === undefined) return null;
            return (
              <tr
                key={row.id}
                role="row"
                ref={virtual.measureElement}
                data-index={item.index}
                aria-rowindex={item.index + 2}
                data-chosen={chosen?.(row.original) || undefined}
              >
                {columns.map((c, i) => (
                  <td key={c.title} role="cell" className={classes(c)} data-title={i > head ? c.title : undefined}>
                    {c.cell(row.original)}
                  </td>
                ))}
              </tr>
            );
          })}
          {after > 0 && (
            <tr aria-hidden>
              <td colSpan={columns.length} height={after} />
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}

/** A header that sorts by mouse or keyboard: numbers from the top, names from A, then as the server had it. */
function Head<T>({
  column,
  now,
  change,
}: {
  column: Column<T>;
  now: Sort | undefined;
  change: (sort: Sort | undefined) => void;
}) {
  const id = slug(column.title),
    here = now?.column === id ? now : undefined,
    firstDown = column.number ?? false;
  const next = !here
    ? { column: id, down: firstDown }
    : here.down === firstDown
      ? { column: id, down: !firstDown }
      : undefined;
  return (
    <th
      scope="col"
      role="columnheader"
      className={classes(column)}
      aria-sort={here ? (here.down ? "descending" : "ascending") : undefined}
    >
      {column.by ? (
        <button type="button" className="sorter" onClick={() => change(next)}>
          {column.title}
          <span aria-hidden>{here ? (here.down ? "↓" : "↑") : ""}</span>
        </button>
      ) : (
        column.title
      )}
    </th>
  );
}

function classes<T>(c: Column<T>): string | undefined {
  return [c.number && "number", c.wraps && "wraps", c.from && `from-${c.from}`].filter(Boolean).join(" ") || undefined;
}

const words = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

function compare(
  a: { getValue: (id: string) => unknown },
  b: { getValue: (id: string) => unknown },
  id: string,
): number {
  const [x, y] = [a.getValue(id), b.getValue(id)];
  return typeof x === "number" && typeof y === "number" ? x - y : words.compare(String(x), String(y));
}
