import { NativeSelect, NumberInput } from "@mantine/core";
import type { Schemas } from "../../api/client";
import type { Expr, Rel } from "../../query/tree";

const amounts = ["=", ">=", "<=", ">", "<", "<>"];
const distances = [2, 3, 4, 5, 6, 8, 12, 20];

/** How much of a connection is asked for: some, none, or so many; and how far it may reach. */
export function Amount({
  schema,
  line,
  negated,
  own,
  chain,
  change,
}: {
  schema: Schemas["Schema"];
  line: Expr;
  negated: boolean;
  /** Whether it is a line of a node that is shown, so that its end can be shown as well. */
  own: boolean;
  /** Whether the connection leads on from its far end. */
  chain: boolean;
  /** Another form of the condition; with the connection alone, it becomes one that is shown. */
  change: (line: Expr | undefined, shown?: Rel) => void;
}) {
  const rel = line.exists ?? line.count;
  if (!rel) return null;
  const now = line.count ? "count" : negated ? "none" : "some";
  const become = (to: string) => {
    const { upTo: _, ...near } = rel;
    if (to === "shown") change(undefined, near);
    else if (to === "count") change({ count: near, op: ">=", value: 1 });
    else change(to === "none" ? { not: { exists: rel } } : { exists: rel });
  };
  return (
    <>
      <NativeSelect
        size="xs"
        aria-label="How many"
        value={now}
        data={[
          { value: "some", label: "at least one" },
          { value: "none", label: "none" },
          { value: "count", label: "a number of" },
          ...(own ? [{ value: "shown", label: "each, shown" }] : []),
        ]}
        onChange={(e) => become(e.currentTarget.value)}
      />
      {line.count && (
        <>
          <NativeSelect
            size="xs"
            aria-label="How the number compares"
            value={line.op ?? ">="}
            data={amounts.map((o) => ({ value: o, label: schema.ops[o] ?? o }))}
            onChange={(e) => change({ ...line, op: e.currentTarget.value })}
          />
          <NumberInput
            size="xs"
            w={72}
            min={0}
            max={1_000_000}
            allowDecimal={false}
            aria-label="Number"
            value={typeof line.value === "number" ? line.value : 1}
            onChange={(n) => {
              if (typeof n === "number") change({ ...line, value: n });
            }}
          />
        </>
      )}
      {line.exists && chain && (
        <NativeSelect
          size="xs"
          aria-label="How far"
          value={String(rel.upTo ?? 0)}
          data={[
            { value: "0", label: "directly" },
            ...distances.map((n) => ({ value: String(n), label: `within ${n} steps` })),
          ]}
          onChange={(e) => {
            const { upTo: _, ...near } = rel;
            const n = Number.parseInt(e.currentTarget.value);
            const next = { exists: n ? { ...near, upTo: n } : near };
            change(negated ? { not: next } : next);
          }}
        />
      )}
    </>
  );
}
