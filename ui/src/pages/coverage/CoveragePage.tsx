import { Link } from "react-router";
import { api, type Schemas } from "../../api/client";
import { Ago } from "../../components/Ago";
import { Gaps } from "../../components/Gaps";
import { Page, Section } from "../../components/Page";
import { Reason } from "../../components/Reason";
import { Answered } from "../../components/States";
import { Table, type Column } from "../../components/Table";
import { useVocabulary } from "../../components/Vocabulary";
import { count, plural } from "../../lib/format";
import { imageList, ofKind, thingPage } from "../../lib/links";
import { Storage } from "./Storage";

type Cluster = Schemas["ClusterStatus"];

const ofEvents = (g: Schemas["Gap"]) => g.source === "audit" || g.source === "runtime";

/** The gaps of the picture, as many as the head of every page counts. */
const pictured = (gaps: Schemas["Gap"][]) => gaps.filter((g) => !ofEvents(g));

/** What was read, what was not, and what that means. */
export function CoveragePage() {
  const asked = api.useQuery("get", "/coverage");
  return (
    <Page title="Coverage and gaps">
      <Answered asked={asked}>
        {(c) => (
          <>
            <Section title={`Gaps (${count(pictured(c.gaps).length)})`}>
              <Gaps
                gaps={pictured(c.gaps)}
                none={c.clusters.length ? undefined : "No cluster was read, so nothing was looked for."}
              />
            </Section>
            {c.gaps.some(ofEvents) && (
              <Section title={`Events that are not seen (${count(c.gaps.filter(ofEvents).length)})`}>
                <Gaps gaps={c.gaps.filter(ofEvents)} />
              </Section>
            )}
            <Section title={`Clusters (${count(c.clusters.length)})`}>
              <Clusters rows={c.clusters} />
            </Section>
            <Section
              title={`Images never scanned (${count(c.unscanned.length)} of ${count(c.images.total)})`}
              aside={<Link to={imageList({ state: "done" })}>{count(c.images.done)} scanned</Link>}
            >
              {c.unscanned.length ? (
                <Unscanned rows={c.unscanned} />
              ) : (
                <p>{c.images.total > 0 ? "Every image that was seen has been scanned." : "No image was seen."}</p>
              )}
            </Section>
            <Advisories coverage={c} />
            <Storage />
          </>
        )}
      </Answered>
    </Page>
  );
}

function Clusters({ rows }: { rows: Cluster[] }) {
  const columns: Column<Cluster>[] = [
    {
      title: "Cluster",
      cell: (k) => <Link to={thingPage("Cluster", `${k.name}/Cluster`)}>{k.name}</Link>,
      by: (k) => k.name,
    },
    { title: "State", cell: (k) => k.state, by: (k) => k.state },
    {
      title: "As of",
      cell: (k) =>
        k.asOf ? (
          <>
            <Ago at={k.asOf} /> ago
          </>
        ) : (
          <span className="unknown">never</span>
        ),
      by: (k) => (k.asOf ? -Date.parse(k.asOf) : undefined),
    },
    { title: "Read from", from: "medium", cell: (k) => k.source ?? "", by: (k) => k.source },
    {
      title: "Kubernetes",
      from: "wide",
      cell: (k) => k.kubernetes || <span className="unknown">unknown</span>,
      by: (k) => k.kubernetes || undefined,
    },
    {
      title: "Objects",
      wraps: true,
      from: "medium",
      cell: (k) => <Objects cluster={k} />,
      by: (k) => Object.values(k.counts).reduce((a, b) => a + b, 0),
    },
    { title: "Gaps", number: true, cell: (k) => count(k.gaps), by: (k) => k.gaps },
  ];
  return <Table label="Clusters" sort="clusters-sort" short rows={rows} rowKey={(k) => k.name} columns={columns} />;
}

/** How many objects of each kind were read; the kinds of the graph open their list. */
function Objects({ cluster }: { cluster: Cluster }) {
  const schema = useVocabulary();
  const unread = Object.entries(cluster.unread);
  return (
    <>
      {Object.entries(cluster.counts).map(([kind, n], i) => (
        <span key={kind}>
          {i > 0 && " · "}
          {schema?.kinds[kind] ? <Link to={ofKind(kind, cluster.name)}>{count(n)}</Link> : count(n)} {kind}
        </span>
      ))}
      {unread.length > 0 && (
        <div>
          <small>
            Seen and not interpreted: {unread.map(([kind, n]) => (n < 0 ? kind : `${count(n)} ${kind}`)).join(", ")}
          </small>
        </div>
      )}
    </>
  );
}

const unscanned: Column<Schemas["ImageRow"]>[] = [
  {
    title: "Image",
    wraps: true,
    cell: (i) => (
      <Link to={thingPage("Image", i.id)} title={i.id}>
        {i.name}
      </Link>
    ),
    by: (i) => i.name,
  },
  { title: "Scan", cell: (i) => i.state, by: (i) => i.state },
  {
    title: "Why",
    wraps: true,
    from: "medium",
    cell: (i) => (i.error ? <Reason why={i.error} /> : "It is waiting for its turn."),
    by: (i) => i.error,
  },
  {
    title: "Pods",
    number: true,
    cell: (i) => <Link to={thingPage("Image", i.id)}>{count(i.pods)}</Link>,
    by: (i) => i.pods,
  },
];

function Unscanned({ rows }: { rows: Schemas["ImageRow"][] }) {
  return (
    <Table label="Images never scanned" sort="images-sort" short rows={rows} rowKey={(i) => i.id} columns={unscanned} />
  );
}

function Advisories({ coverage: { advisories: a, ecosystems } }: { coverage: Schemas["Coverage"] }) {
  const known = (imported: boolean) =>
    imported ? "imported" : <span className="unknown">not imported, so unknown</span>;
  return (
    <Section title="Advisories">
      <dl>
        <dt>Records</dt>
        <dd>
          {plural(a.records, "record")} of {plural(a.sources, "source")}
          {a.importedAt && (
            <>
              , imported <Ago at={a.importedAt} /> ago
            </>
          )}
          {a.newest && (
            <>
              , the newest <Ago at={a.newest} /> old
            </>
          )}
        </dd>
        <dt>Exploited</dt>
        <dd>The list of known exploited vulnerabilities is {known(a.kev)}.</dd>
        <dt>EPSS</dt>
        <dd>Probabilities of exploitation are {known(a.epss)}.</dd>
        <dt>Statements</dt>
        <dd>
          {Object.entries(ecosystems)
            .map(([e, n]) => `${e}: ${count(n)}`)
            .join(" · ") || "none"}
        </dd>
      </dl>
    </Section>
  );
}
