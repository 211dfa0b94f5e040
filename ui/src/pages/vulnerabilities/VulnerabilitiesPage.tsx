import { Link } from "react-router";
import { api, type Schemas } from "../../api/client";
import { AtLeast, ChoiceFilter, Scope, TextFilter } from "../../components/Filters";
import { List, pageByPage } from "../../components/List";
import { Page } from "../../components/Page";
import { rank, Severity } from "../../components/Severity";
import { Empty, Partial } from "../../components/States";
import { Table, type Column } from "../../components/Table";
import { useVocabulary } from "../../components/Vocabulary";
import { count, plural } from "../../lib/format";
import { carriersOf, exposedTo, nodesWith, pathList, pathPage, thingPage } from "../../lib/links";
import { useAsked } from "../../lib/url";

type Row = Schemas["VulnerabilityRow"];

const yes = (label: string) => [{ value: "true", label }];
const listed = (n: number, to: string) => (n > 0 ? <Link to={to}>{count(n)}</Link> : "0");

const columns = (severities: readonly string[] | undefined): Column<Row>[] => [
  { title: "Severity", cell: (v) => <Severity level={v.severity} />, by: (v) => -(rank(severities, v.severity) ?? 0) },
  {
    title: "CVE",
    cell: (v) => (
      <>
        <Link to={thingPage("Vulnerability", v.id)}>{v.id}</Link>
        <small className="onlynarrow">{v.title}</small>
      </>
    ),
    by: (v) => v.id,
  },
  { title: "Title", from: "medium", wraps: true, cell: (v) => v.title, by: (v) => v.title },
  {
    title: "Package",
    from: "wide",
    cell: (v) => <span title={v.packages.join(", ")}>{v.packages.join(", ")}</span>,
    by: (v) => v.packages[0],
  },
  {
    title: "Known",
    from: "medium",
    cell: (v) => [v.kev && "exploited", v.rce && "remote code", !v.fixable && "no fix"].filter(Boolean).join(", "),
    by: (v) => Number(v.kev ?? false) * 2 + Number(v.rce),
  },
  {
    title: "Images",
    number: true,
    from: "medium",
    cell: (v) => (
      <>
        {listed(v.running, carriersOf(v.id))} <small>of {count(v.images)} run</small>
      </>
    ),
    by: (v) => v.running,
  },
  {
    title: "Exposed pods",
    number: true,
    from: "wide",
    cell: (v) => (
      <>
        {listed(v.exposed, exposedTo(v.id))} <small>of {count(v.pods)}</small>
      </>
    ),
    by: (v) => v.exposed,
  },
  { title: "Nodes", number: true, from: "wide", cell: (v) => listed(v.nodes, nodesWith(v.id)), by: (v) => v.nodes },
  { title: "Paths", number: true, cell: (v) => listed(v.paths, pathList({ vulnerability: v.id })), by: (v) => v.paths },
];

/** Vulnerabilities in images and in what nodes run, worst first; with a path in the URL, those that open it. */
export function VulnerabilitiesPage() {
  const { get, flag } = useAsked();
  const schema = useVocabulary();
  const asked = api.useInfiniteQuery(
    "get",
    "/vulnerabilities",
    {
      params: {
        query: {
          q: get("q"),
          severity: get("severity"),
          image: get("image"),
          package: get("package"),
          cluster: get("cluster"),
          path: get("path"),
          kev: flag("kev"),
          rce: flag("rce"),
          fixable: flag("fixable"),
          running: flag("running"),
          limit: 500,
        },
      },
    },
    pageByPage,
  );
  const filters = (
    <>
      <TextFilter name="q" label="CVE, title or package" />
      <AtLeast name="severity" of={schema?.severities} />
      <ChoiceFilter name="kev" label="Exploited or not" choices={yes("known exploited")} />
      <ChoiceFilter name="rce" label="Any effect" choices={yes("remote code")} />
      <ChoiceFilter name="fixable" label="Fix or none" choices={yes("has a fix")} />
      <ChoiceFilter name="running" label="Running or not" choices={yes("in what runs")} />
    </>
  );
  return (
    <Page title="Vulnerabilities" aside={filters}>
      <Scope names={{ image: "image", package: "package" }} />
      <List asked={asked}>
        {(list, rows) => (
          <>
            {list.path && (
              <p>
                Those that open the attack path “<Link to={pathPage(list.path)}>{list.path.title}</Link>” in{" "}
                {list.path.cluster} · {list.path.namespace}. <Link to="/vulnerabilities">Show all</Link>
              </p>
            )}
            <p className="counts" role="status">
              {plural(list.total, "vulnerability", "vulnerabilities")}
            </p>
            {unknown(list).length > 0 && (
              <Partial>
                {unknown(list).join(", ")}: there may be more. <Link to="/coverage">Which, and why</Link>.
              </Partial>
            )}
            {rows.length === 0 ? (
              <None />
            ) : (
              <Table label="Vulnerabilities" rows={rows} rowKey={(v) => v.id} columns={columns(schema?.severities)} />
            )}
          </>
        )}
      </List>
    </Page>
  );
}

/** What of images and nodes is not known, or known in part. */
const unknown = (list: Schemas["VulnerabilityList"]): string[] =>
  [
    list.unscanned > 0 && `${plural(list.unscanned, "image")} ${were(list.unscanned)} never scanned`,
    list.partly > 0 && `${plural(list.partly, "image")} ${were(list.partly)} read in part`,
    list.unassessedNodes > 0 &&
      `${plural(list.unassessedNodes, "node")} ${were(list.unassessedNodes)} never held against advisories`,
    list.partlyNodes > 0 &&
      `${plural(list.partlyNodes, "node")} ${list.partlyNodes === 1 ? "is" : "are"} known in part`,
  ].filter((said) => said !== false);

const were = (n: number) => (n === 1 ? "was" : "were");

/** None means something only where images were scanned. */
function None() {
  const images = api.useQuery("get", "/status").data?.images;
  if (images?.done === 0)
    return (
      <Empty title="No image was scanned yet">
        What they have is unknown. <Link to="/coverage">Which images, and why</Link>.
      </Empty>
    );
  return (
    <Empty title="No vulnerability matches">
      None known that fits this filter, in what was read of images and nodes.
    </Empty>
  );
}
