import { useMemo } from "react";
import { Link } from "react-router";
import type { Schemas } from "../../api/client";
import { Section } from "../../components/Page";
import { Ref } from "../../components/Ref";
import { rank, Severity } from "../../components/Severity";
import { Partial } from "../../components/States";
import { Table, type Column } from "../../components/Table";
import { useVocabulary } from "../../components/Vocabulary";
import { count, plural } from "../../lib/format";
import { pathList, recommendationPage } from "../../lib/links";
import { sentence } from "../../lib/text";

type Answer = Schemas["Affected"];
type Place = Schemas["AffectedPlace"];
type Repair = Schemas["AffectedRepair"];
type Dismissed = Schemas["NotAffected"];

/** The answer in a word and a sentence: of what was looked into, and of nothing else. */
export function Verdict({ of }: { of: Answer }) {
  return (
    <p className="verdict" role="status">
      <b>{sentence(of.verdict)}</b> {of.sentence}
    </p>
  );
}

/** What stood in the way of a whole answer, and of how many images. */
export function NotLookedAt({ of }: { of: Answer }) {
  const l = of.lookedAt;
  if (l.unread + l.partly + l.nodesUnread + l.nodesPartly === 0) return null;
  return (
    <Partial>
      {count(l.unread)} of {plural(l.images, "image")} could not be read, {count(l.partly)} were read in part;{" "}
      {count(l.nodesUnread)} of {plural(l.nodes, "node")} were never held against advisories, {count(l.nodesPartly)} are
      known in part. <Link to="/coverage">Which, and why</Link>.
      {l.missing.length > 0 && (
        <ul className="plain">
          {l.missing.map((m) => (
            <li key={m.why}>
              {sentence(m.why)} <small>{plural(m.images, "image")}</small>
            </li>
          ))}
        </ul>
      )}
    </Partial>
  );
}

/** The workloads that run it, those on attack paths first. */
export function Where({ of }: { of: Answer }) {
  const columns = useMemo(() => places(of), [of]);
  if (of.images === 0) return null;
  const workloads = of.where.length;
  return (
    <Section title={`Where it runs (${plural(workloads, "workload")})`}>
      {workloads ? (
        <Table label="Workloads" sort="where-sort" short rows={of.where} rowKey={(p) => p.id} columns={columns} />
      ) : (
        <p>No pod that was seen runs it.</p>
      )}
    </Section>
  );
}

function exposed(p: Place) {
  if (p.exposureUnknown > 0 && p.exposed === 0) return <span className="unknown">unknown</span>;
  return `${count(p.exposed)}${p.exposureUnknown > 0 ? `, ${count(p.exposureUnknown)} unknown` : ""}`;
}

const places = (of: Answer): Column<Place>[] => [
  {
    title: "Workload",
    wraps: true,
    cell: (p) => {
      const [kind = "", name = ""] = p.workload.split("/");
      return (
        <>
          <Ref to={{ kind, id: p.id, name, cluster: p.cluster, namespace: p.namespace }} />
          {p.accepted && <small> accepted</small>}
        </>
      );
    },
    by: (p) => p.id,
  },
  { title: "Pods", number: true, cell: (p) => count(p.pods), by: (p) => p.pods },
  { title: "Exposed", number: true, cell: exposed, by: (p) => p.exposed },
  {
    title: "Attack paths",
    number: true,
    cell: (p) =>
      p.paths > 0 ? <Link to={pathList({ entity: p.id, vulnerability: of.id })}>{count(p.paths)}</Link> : "0",
    by: (p) => p.paths,
  },
  {
    title: "In use",
    from: "medium",
    cell: () => (
      <span className="unknown" title={of.inUseWhy}>
        unknown
      </span>
    ),
  },
  {
    title: "Images",
    from: "wide",
    wraps: true,
    cell: (p) => <span title={p.images.join("\n")}>{listed(p.images)}</span>,
    by: (p) => p.images[0],
  },
];

const listed = (all: string[]) =>
  all.slice(0, 2).join(", ") + (all.length > 2 ? ` and ${count(all.length - 2)} more` : "");

/** Each package and version that has it, and the one version to update to. */
export function Fixes({ of }: { of: Answer }) {
  const schema = useVocabulary();
  const columns = useMemo<Column<Repair>[]>(
    () => [
      {
        title: "Severity",
        cell: (r) => <Severity level={r.severity} />,
        by: (r) => -(rank(schema?.severities, r.severity) ?? -1),
      },
      {
        title: "Package",
        wraps: true,
        cell: (r) => (
          <>
            {r.package} <small>{r.ecosystem}</small>
            {r.packages.some((p) => p !== r.package) && <small> as {r.packages.join(", ")}</small>}
          </>
        ),
        by: (r) => r.package,
      },
      { title: "Installed", cell: (r) => r.installed, by: (r) => r.installed },
      {
        title: "Fixed in",
        cell: (r) => r.fixed || <span className="unknown">no fix yet</span>,
        by: (r) => r.fixed || undefined,
      },
      {
        title: "Update to",
        cell: (r) =>
          r.recommendation ? <Link to={recommendationPage(r.recommendation)}>{r.target}</Link> : r.target || "",
        by: (r) => r.target || undefined,
      },
      ...(of.fixes.some((r) => r.status)
        ? [{ title: "Status", wraps: true, cell: (r: Repair) => r.status ?? "", by: (r: Repair) => r.status }]
        : []),
      {
        title: "Images",
        number: true,
        cell: (r) => (
          <>
            {count(r.images)}
            {r.accepted > 0 && <small> {count(r.accepted)} accepted</small>}
          </>
        ),
        by: (r) => r.images,
      },
      { title: "Pods", number: true, from: "medium", cell: (r) => count(r.pods), by: (r) => r.pods },
    ],
    [schema, of],
  );
  if (of.fixes.length === 0) return null;
  return (
    <Section title={`What fixes it (${plural(of.fixes.length, "package version")})`}>
      <Table label="Fixes" sort="fixes-sort" short rows={of.fixes} rowKey={(_, i) => String(i)} columns={columns} />
    </Section>
  );
}

const dismissals: Column<Dismissed>[] = [
  {
    title: "Package",
    cell: (d) => (
      <>
        {d.package} <small>{d.installed}</small>
      </>
    ),
    by: (d) => d.package,
  },
  { title: "Why it does not count", wraps: true, cell: (d) => sentence(d.reason), by: (d) => d.reason },
  {
    title: "Images",
    number: true,
    cell: (d) => <span title={d.examples.join("\n")}>{count(d.images)}</span>,
    by: (d) => d.images,
  },
];

/** What advisories find and what does not count, each with its reason. */
export function NotAffected({ of }: { of: Answer }) {
  if (of.notAffected.length === 0) return null;
  return (
    <Section title={`Not affected (${plural(of.notAffected.length, "package version")})`}>
      <Table
        label="Not affected"
        sort="not-affected-sort"
        short
        rows={of.notAffected}
        rowKey={(_, i) => String(i)}
        columns={dismissals}
      />
    </Section>
  );
}
