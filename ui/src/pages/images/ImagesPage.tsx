import { Link, useSearchParams } from "react-router";
import { api, type Schemas } from "../../api/client";
import { ChoiceFilter, Scope, TextFilter } from "../../components/Filters";
import { More } from "../../components/More";
import { Page } from "../../components/Page";
import { rank, Severity } from "../../components/Severity";
import { Answered, Empty } from "../../components/States";
import { Table, type Column } from "../../components/Table";
import { useVocabulary } from "../../components/Vocabulary";
import { count, plural, short } from "../../lib/format";
import { imageList, thingPage, vulnerabilityList } from "../../lib/links";
import { shortReason } from "../../lib/text";
import { Kinds } from "./Kinds";

type Row = Schemas["ImageRow"];

const states = ["unknown", "queued", "scanning", "failed", "unsupported", "done"] as const;

function known(n: number | null | undefined, to?: string) {
  if (n === null || n === undefined) return <span className="unknown">unknown</span>;
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
    cell: (i) => known(i.criticals, vulnerabilityList({ image: i.id, severity: severities?.at(-1) })),
    by: (i) => i.criticals,
  },
  {
    title: "High",
    number: true,
    from: "medium",
    cell: (i) => known(i.highs, vulnerabilityList({ image: i.id, severity: severities?.at(-2) })),
    by: (i) => i.highs,
  },
  {
    title: "All",
    number: true,
    from: "medium",
    cell: (i) => known(i.vulnerabilities, vulnerabilityList({ image: i.id })),
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
  const [params] = useSearchParams();
  const get = (name: string) => params.get(name) ?? undefined;
  const schema = useVocabulary();
  const asked = api.useInfiniteQuery(
    "get",
    "/images",
    {
      params: {
        query: {
          q: get("q"),
          state: states.find((s) => s === get("state")),
          severity: get("severity"),
          cluster: get("cluster"),
          running: get("running") === "true" || undefined,
          limit: 500,
        },
      },
    },
    {
      pageParamName: "cursor",
      initialPageParam: "",
      getNextPageParam: (last) => last.next || undefined,
      placeholderData: (old) => old,
    },
  );
  const filters = (
    <>
      <TextFilter name="q" label="Name or digest" />
      <ChoiceFilter
        name="severity"
        label="Any severity"
        choices={(schema?.severities ?? []).map((s) => ({ value: s, label: `at least ${s}` })).reverse()}
      />
      <ChoiceFilter name="state" label="Any scan state" choices={states.map((s) => ({ value: s, label: s }))} />
      <ChoiceFilter name="running" label="Running or not" choices={[{ value: "true", label: "running" }]} />
    </>
  );
  return (
    <Page title="Inventory" aside={filters}>
      <Kinds />
      <Scope names={{ cluster: "cluster" }} />
      <Answered asked={asked}>
        {({ pages }) => {
          const rows = pages.flatMap((p) => p.items),
            list = pages[0];
          return (
            list && (
              <>
                <p className="counts" role="status">
                  {plural(list.total, "image")} · of all: <States counts={list.counts} />
                </p>
                {rows.length === 0 ? (
                  <Empty title="No image matches">Images appear when a pod uses them.</Empty>
                ) : (
                  <Table label="Images" rows={rows} rowKey={(i) => i.id} columns={columns(schema?.severities)} />
                )}
                <More
                  shown={rows.length}
                  total={list.total}
                  busy={asked.isFetchingNextPage}
                  next={asked.hasNextPage ? () => void asked.fetchNextPage() : undefined}
                />
              </>
            )
          );
        }}
      </Answered>
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
