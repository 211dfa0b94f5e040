import { Link } from "react-router";
import { api, type Schemas } from "../../api/client";
import { AtLeast, ChoiceFilter, Scope, TextFilter } from "../../components/Filters";
import { List, pageByPage } from "../../components/List";
import { Page } from "../../components/Page";
import { rank, Severity } from "../../components/Severity";
import { Empty } from "../../components/States";
import { Table, type Column } from "../../components/Table";
import { useVocabulary } from "../../components/Vocabulary";
import { count, plural, short } from "../../lib/format";
import { imageList, thingPage, vulnerabilityList } from "../../lib/links";
import { shortReason } from "../../lib/text";
import { useAsked } from "../../lib/url";
import { Kinds } from "./Kinds";

type Row = Schemas["ImageRow"];

const states = ["unknown", "queued", "scanning", "failed", "unsupported", "done"] as const;

function known(n: number | null | undefined, to?: string, partly = false) {
  if (n === null || n === undefined) return <span className="unknown">unknown</span>;
  if (n === 0 && partly) return <span className="unknown">none known</span>;
  return to && n > 0 ? <Link to={to}>{count(n)}</Link> : count(n);
}

/** The name without its registry, which has its own column. */
const bare = (i: Row) => (i.name.startsWith(`${i.registry}/`) ? i.name.slice(i.registry.length + 1) : short(i.name));

const columns = (severities: readonly string[] | undefined): Column<Row>[] => [
  {
    title: "Highest",
    cell: (i) => <Severity level={i.severity} />,
    by: (i) => -(rank(severities, i.severity) ?? Number.NaN) || undefined,
  },
  {
    title: "Image",
    cell: (i) => (
      <Link to={thingPage("Image", i.id)} title={`${i.name} ${i.id}`}>
        {bare(i)}
      </Link>
    ),
    by: bare,
  },
  {
    title: "Scan",
    from: "medium",
    cell: (i) => <span title={i.error && shortReason(i.error)}>{i.partly ? "in part" : i.state}</span>,
    by: (i) => i.state,
  },
  { title: "Registry", from: "widest", cell: (i) => i.registry, by: (i) => i.registry },
  { title: "Distribution", from: "wide", cell: (i) => i.distribution ?? "", by: (i) => i.distribution || undefined },
  {
    title: "Critical",
    number: true,
    cell: (i) => known(i.criticals, vulnerabilityList({ image: i.id, severity: severities?.at(-1) }), i.partly),
    by: (i) => i.criticals,
  },
  {
    title: "High",
    number: true,
    from: "medium",
    cell: (i) => known(i.highs, vulnerabilityList({ image: i.id, severity: severities?.at(-2) }), i.partly),
    by: (i) => i.highs,
  },
  {
    title: "All",
    number: true,
    from: "medium",
    cell: (i) => known(i.vulnerabilities, vulnerabilityList({ image: i.id }), i.partly),
    by: (i) => i.vulnerabilities,
  },
  {
    title: "Packages",
    number: true,
    from: "medium",
    cell: (i) => known(i.packages, thingPage("Image", i.id)),
    by: (i) => i.packages,
  },
  { title: "Pods", number: true, cell: (i) => known(i.pods, thingPage("Image", i.id)), by: (i) => i.pods },
];

/** Container images, worst first; one that was never scanned is unknown, not clean. */
export function ImagesPage() {
  const { get, flag, one } = useAsked();
  const schema = useVocabulary();
  const asked = api.useInfiniteQuery(
    "get",
    "/images",
    {
      params: {
        query: {
          q: get("q"),
          state: one("state", states),
          severity: get("severity"),
          cluster: get("cluster"),
          running: flag("running"),
          limit: 500,
        },
      },
    },
    pageByPage,
  );
  const filters = (
    <>
      <TextFilter name="q" label="Name or digest" />
      <AtLeast name="severity" of={schema?.severities} />
      <ChoiceFilter name="state" label="Any scan state" choices={states.map((s) => ({ value: s, label: s }))} />
      <ChoiceFilter name="running" label="Running or not" choices={[{ value: "true", label: "running" }]} />
    </>
  );
  return (
    <Page title="Inventory" aside={filters}>
      <Kinds />
      <Scope names={{ cluster: "cluster" }} />
      <List asked={asked}>
        {(list, rows) => (
          <>
            <p className="counts" role="status">
              {plural(list.total, "image")} · of all: <States counts={list.counts} />
            </p>
            {rows.length === 0 ? (
              <Empty title="No image matches">Images appear when a pod uses them.</Empty>
            ) : (
              <Table label="Images" rows={rows} rowKey={(i) => i.id} columns={columns(schema?.severities)} />
            )}
          </>
        )}
      </List>
    </Page>
  );
}

/** How many were scanned, and each way of not having been, as links to those. */
function States({ counts }: { counts: Schemas["ImageCounts"] }) {
  const rest = (["failed", "unsupported", "unknown"] as const).filter((s) => counts[s] > 0);
  return (
    <>
      <Link to={imageList({ state: "done" })}>
        {count(counts.done)} of {count(counts.total)} scanned
      </Link>
      {counts.waiting > 0 && ` · ${count(counts.waiting)} waiting`}
      {rest.map((s) => (
        <span key={s}>
          {" "}
          ·{" "}
          <Link to={imageList({ state: s })}>
            {count(counts[s])} {s}
          </Link>
        </span>
      ))}
    </>
  );
}
