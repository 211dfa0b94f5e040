import type { Schemas } from "../../api/client";
import { Ago } from "../../components/Ago";
import { Gaps } from "../../components/Gaps";
import { Section } from "../../components/Page";
import { Partial } from "../../components/States";
import { Table, type Column } from "../../components/Table";
import { count, plural } from "../../lib/format";

type Choice = Schemas["RegistryChoice"];

const columns: Column<Choice>[] = [
  { title: "Image", cell: (c) => `${c.repository}:${c.tag}`, by: (c) => `${c.repository}:${c.tag}` },
  {
    title: "Read",
    wraps: true,
    cell: (c) =>
      c.why ? (
        <>
          no <small>{c.why}</small>
        </>
      ) : (
        "yes"
      ),
    by: (c) => c.why ?? "",
  },
  {
    title: "Made",
    number: true,
    from: "medium",
    cell: (c) => (c.made ? <Ago at={c.made} /> : c.digest ? <span className="unknown">unknown</span> : ""),
    by: (c) => (c.made ? -Date.parse(c.made) : undefined),
  },
  { title: "Platforms", from: "wide", cell: (c) => c.platforms?.join(", "), by: (c) => c.platforms?.join() ?? "" },
];

/** What would be read of a registry, and what would be left out and why. */
export function Previewed({ of: p }: { of: Schemas["RegistryPreview"] }) {
  const hidden = p.chosen + p.left - p.items.length;
  return (
    <Section title={`${count(p.chosen)} of ${plural(p.chosen + p.left, "tag")} would be read`}>
      {p.cut && <Partial>This is not all: {p.cut}.</Partial>}
      <Table label="What would be read" rows={p.items} rowKey={(c) => `${c.repository}:${c.tag}`} columns={columns} />
      {hidden > 0 && <p>{plural(hidden, "tag")} more are not listed.</p>}
      {p.gaps.length > 0 && <Gaps gaps={p.gaps} />}
    </Section>
  );
}
