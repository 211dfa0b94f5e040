import { useMemo } from "react";
import { Link } from "react-router";
import { api, type Schemas } from "../../api/client";
import { ChoiceFilter } from "../../components/Filters";
import { Page, Section } from "../../components/Page";
import { Answered, Empty, Partial } from "../../components/States";
import { Table, type Column } from "../../components/Table";
import { count, plural, short } from "../../lib/format";
import { thingPage } from "../../lib/links";
import { useAsked } from "../../lib/url";
import { Flaws } from "./Flaws";

/** Two images compared, such as two tags: what the later one brings, and what it takes away. */
export function ImageDiffPage() {
  const { get } = useAsked();
  const [base, head] = [get("base"), get("head")];
  const before = api.useQuery("get", "/image", { params: { query: { id: base ?? "" } } }, { enabled: !!base });
  const row = before.data?.row;
  const beside = api.useQuery(
    "get",
    "/images",
    { params: { query: { q: row && `${row.registry}/${row.repository}`, limit: 1000 } } },
    { enabled: !!row },
  );
  const choices = useMemo(
    () =>
      beside.data?.items
        .filter((i) => i.repository === row?.repository && i.id !== base)
        .map((i) => ({ value: i.id, label: i.tags.length ? i.tags.join(", ") : short(i.id) })) ?? [],
    [beside.data, row, base],
  );
  if (!base) return <Empty title="Choose an image first">Its page compares it with another.</Empty>;
  return (
    <Page
      title="Compare images"
      aside={choices.length > 0 && <ChoiceFilter name="head" label="With the tag" choices={choices} />}
    >
      {head ? (
        <Compared base={base} head={head} />
      ) : (
        <Answered asked={beside}>
          {() => (
            <Empty title={choices.length ? "Choose another tag" : "There is no other tag"}>
              {choices.length
                ? "Shows the packages and vulnerabilities that only one of the two has."
                : "No other image of this repository is known."}
            </Empty>
          )}
        </Answered>
      )}
    </Page>
  );
}

function Compared({ base, head }: { base: string; head: string }) {
  const asked = api.useQuery("get", "/image/diff", { params: { query: { base, head } } }, { retry: false });
  return <Answered asked={asked}>{(d) => <Shown d={d} base={base} head={head} />}</Answered>;
}

function Shown({ d, base, head }: { d: Schemas["ImageDifference"]; base: string; head: string }) {
  const baseIs = (b?: Schemas["ImageBase"]) => (b ? `${b.name}: ${b.how}` : "not known");
  const [was, is] = [baseIs(d.baseBefore), baseIs(d.baseAfter)];
  return (
    <>
      <p className="counts" role="status" aria-label="Difference">
        From <Link to={thingPage("Image", base)}>{d.before.reference}</Link> to{" "}
        <Link to={thingPage("Image", head)}>{d.after.reference}</Link>:{" "}
        {plural(d.new.length, "finding is new", "findings are new")}, {count(d.fixed.length)} fixed, {count(d.kept)}{" "}
        still there. The lowest {plural(d.sharedLayers, "layer is", "layers are")} the same.
      </p>
      {was !== is && (
        <p>
          The base changes. Before: {was}. After: {is}.
        </p>
      )}
      {d.notKnown.map((text) => (
        <Partial key={text}>{text}</Partial>
      ))}
      {d.new.length + d.fixed.length + d.hidden.length === 0 && (
        <Empty title="The same vulnerabilities">As far as is known, both have the same.</Empty>
      )}
      <Found title="New" of={d.new} />
      <Found title="Fixed" of={d.fixed} />
      {d.hidden.length > 0 && (
        <Section title={`Can no longer be judged (${count(d.hidden.length)})`}>
          <p>{d.hidden[0]!.why}.</p>
          <Flaws label="Can no longer be judged" rows={d.hidden.map((h) => h.vulnerability)} />
        </Section>
      )}
      <Section title="Packages">
        <p>
          {count(d.added.length)} added, {count(d.gone.length)} gone, {count(d.changed.length)} in another version,{" "}
          {count(d.unchanged)} the same.
        </p>
        <Packages d={d} />
      </Section>
    </>
  );
}

function Found({ title, of }: { title: string; of: Schemas["ImageVulnerability"][] }) {
  return of.length === 0 ? null : (
    <Section title={`${title} (${count(of.length)})`}>
      <Flaws label={title} rows={of} />
    </Section>
  );
}

interface Row {
  name: string;
  before: string;
  after: string;
}

const columns: Column<Row>[] = [
  { title: "Package", cell: (r) => r.name, by: (r) => r.name },
  { title: "Before", wraps: true, cell: (r) => r.before || "–", by: (r) => r.before },
  { title: "After", wraps: true, cell: (r) => r.after || "–", by: (r) => r.after },
];

function Packages({ d }: { d: Schemas["ImageDifference"] }) {
  const rows = [
    ...d.changed.map((p) => ({ name: p.name, before: p.before.join(", "), after: p.after.join(", ") })),
    ...d.added.map((p) => ({ name: p.name, before: "", after: p.version })),
    ...d.gone.map((p) => ({ name: p.name, before: p.version, after: "" })),
  ];
  return rows.length === 0 ? null : (
    <Table
      label="Packages that differ"
      sort="packages-sort"
      rows={rows}
      rowKey={(_, i) => String(i)}
      columns={columns}
      short
    />
  );
}
