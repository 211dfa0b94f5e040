import { api, type Schemas } from "../../api/client";
import { Ago } from "../../components/Ago";
import { Section } from "../../components/Page";
import { Failed } from "../../components/States";
import { Table, type Column } from "../../components/Table";
import { bytes, count } from "../../lib/format";
import { within } from "../../lib/scope";

type Stored = Schemas["StoredTable"];

/** What is stored, what bounds it and how it grows. It is of all clusters, so who sees some of them sees nothing here. */
export function Storage() {
  const asked = api.useQuery("get", "/storage", {}, { enabled: within === "" });
  if (asked.error && asked.error.status !== 403 && asked.error.status !== 404) return <Failed error={asked.error} />;
  if (!asked.data) return null;
  const { disk, files, tables, measured } = asked.data;
  return (
    <Section
      title="What is stored"
      aside={
        <>
          measured <Ago at={measured} /> ago
        </>
      }
    >
      <p>
        {disk.total > 0
          ? `${bytes(disk.free)} of ${bytes(disk.total)} are free on the disk, and ${bytes(disk.reserve)} stay free.`
          : "How much room the disk has is not known."}
        {disk.noRoom && ` Nothing more is taken: ${disk.noRoom}.`}
      </p>
      <Table label="What is stored" sort="stored-sort" short rows={tables} rowKey={(z) => z.table} columns={columns} />
      <dl>
        {files.map((f) => (
          <div key={f.folder}>
            <dt>{f.what}</dt>
            <dd>
              {bytes(f.bytes)}; {f.bound}
            </dd>
          </div>
        ))}
      </dl>
    </Section>
  );
}

const columns: Column<Stored>[] = [
  { title: "Table", cell: (z) => z.table, by: (z) => z.table },
  { title: "Rows", number: true, cell: (z) => count(z.rows), by: (z) => z.rows },
  { title: "Size", number: true, cell: (z) => bytes(z.bytes), by: (z) => z.bytes },
  {
    title: "A day",
    number: true,
    from: "medium",
    cell: (z) => (z.grownPerDay === undefined ? <span className="unknown">unknown</span> : growth(z.grownPerDay)),
    by: (z) => z.grownPerDay,
  },
  {
    title: "Oldest",
    from: "medium",
    cell: (z) => z.oldest && <Ago at={z.oldest} />,
    by: (z) => (z.oldest ? -Date.parse(z.oldest) : undefined),
  },
  { title: "Kept", wraps: true, from: "medium", cell: kept },
];

function growth(n: number): string {
  return n < 0 ? `−${bytes(-n)}` : `+${bytes(n)}`;
}

/** What bounds a table. */
function kept(z: Stored): string {
  const days = z.keepSeconds && z.keepSeconds / 86_400;
  return (
    z.bound ??
    [days && (days < 1 ? "hours" : `${count(days)} days`), z.mostRows && `${count(z.mostRows)} rows`]
      .filter(Boolean)
      .join(", ")
  );
}
