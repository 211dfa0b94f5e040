import { Link } from "react-router";
import { api, type Schemas } from "../../api/client";
import { Ago } from "../../components/Ago";
import { AtLeast, ChoiceFilter, Scope } from "../../components/Filters";
import { List, pageByPage } from "../../components/List";
import { Page, Section } from "../../components/Page";
import { Reason } from "../../components/Reason";
import { Severity } from "../../components/Severity";
import { Empty, Partial } from "../../components/States";
import { Table, type Column } from "../../components/Table";
import { useVocabulary } from "../../components/Vocabulary";
import { count, plural } from "../../lib/format";
import { alertPage } from "../../lib/links";
import { phrase, sentence } from "../../lib/text";
import { useAsked } from "../../lib/url";

const statuses = ["new", "in progress", "resolved", "dismissed"] as const;

type Row = Schemas["AlertRow"];

const columns: Column<Row>[] = [
  { title: "Severity", cell: (a) => <Severity level={a.severity} /> },
  {
    title: "Alert",
    wraps: true,
    cell: (a) => (
      <>
        <Link to={alertPage(a)}>{a.title}</Link>
        <small className="onlynarrow">
          {a.actor} · {a.about} · {a.cluster}
        </small>
      </>
    ),
    by: (a) => a.title,
  },
  { title: "Who", from: "medium", cell: (a) => a.actor || "unknown", by: (a) => a.actor },
  {
    title: "To what",
    from: "medium",
    cell: (a) => (
      <span className="two">
        <span>{a.about || "the cluster"}</span>
        <small>{a.cluster}</small>
      </span>
    ),
    by: (a) => a.about,
  },
  { title: "Times", number: true, from: "wide", cell: (a) => count(a.count), by: (a) => a.count },
  {
    title: "Status",
    from: "wide",
    cell: (a) => (
      <span className="status" data-status={a.status}>
        {a.status}
      </span>
    ),
    by: (a) => a.status,
  },
  { title: "Last seen", number: true, cell: (a) => <Ago at={a.lastSeen} />, by: (a) => Date.parse(a.lastSeen) },
];

const all = (list: Schemas["AlertList"]) => Object.values(list.counts).reduce((sum, n) => sum + n, 0);

/** Security alerts, seen last first. The filter lives in the URL. */
export function AlertsPage() {
  const { get, any } = useAsked();
  const asked = api.useInfiniteQuery(
    "get",
    "/alerts",
    {
      params: {
        query: {
          status: any("status", statuses),
          severity: get("severity"),
          cluster: get("cluster"),
          rule: get("rule"),
          limit: 200,
        },
      },
    },
    pageByPage,
  );
  const schema = useVocabulary();
  const filters = (
    <>
      <ChoiceFilter name="status" label="Open" choices={statuses.map((s) => ({ value: s, label: s }))} />
      <AtLeast name="severity" of={schema?.risks} />
    </>
  );
  return (
    <Page title="Alerts" aside={filters}>
      <Scope names={{ cluster: "cluster", rule: "rule" }} />
      <List
        asked={asked}
        total={all}
        below={(list) =>
          list.receiving.length > 0 && (
            <Section title="Where events come from">
              <Sources of={list.receiving} />
            </Section>
          )
        }
      >
        {(list, rows) => (
          <>
            <p className="counts" role="status">
              {plural(all(list), "alert")}
              {Object.entries(list.counts).map(([s, n]) => ` · ${count(n)} ${s}`)}
            </p>
            {list.gaps.map((g, i) => (
              <Partial key={i}>
                <b>
                  {g.cluster && `${g.cluster}: `}
                  {phrase(g.what)}.
                </b>{" "}
                <Reason why={g.why} /> {sentence(g.consequence)}
              </Partial>
            ))}
            {rows.length ? (
              <Table label="Alerts" rows={rows} rowKey={(a) => `${a.cluster}/${a.id}`} columns={columns} />
            ) : (
              <None receiving={list.receiving} />
            )}
          </>
        )}
      </List>
    </Page>
  );
}

/** No alert means something only where events arrive. */
function None({ receiving }: { receiving: Schemas["Receiving"][] }) {
  if (receiving.length > 0)
    return <Empty title="No alert matches">Events arrive, and no detection objects to what they say.</Empty>;
  return (
    <Empty title="No cluster sends its audit log">
      Nothing can be detected yet. <code>breakwater connect audit</code> makes what an API server needs to send its
      audit log here.
    </Empty>
  );
}

function Sources({ of }: { of: Schemas["Receiving"][] }) {
  return (
    <ul className="plain">
      {of.map((r) => (
        <li key={`${r.cluster} ${r.kind}`}>
          <b>{r.cluster}</b> {r.kind}: {plural(r.accepted, "event")} taken, {count(r.analysed)} analysed
          {r.waiting > 0 && `, ${plural(r.waiting, "batch", "batches")} waiting`}
          {!!r.reconciled && `, ${count(r.reconciled)} of them from its log file`}
          {!!r.total && `, ${count(r.total)} analysed since the first`}
          {r.lost !== undefined && `, ${count(r.lost)} given up by the API server since it started`}
          {r.lostWhy && (
            <>
              , <span className="unknown">unknown</span> how many the API server gave up
            </>
          )}
          {r.deadLettered > 0 && `, ${count(r.deadLettered)} set aside because they could not be analysed`}
          {Object.entries(r.rejected).map(([why, n]) => `, ${plural(n, "request")} refused: ${why}`)}
          {r.lastReceived && (
            <small>
              {" "}
              last <Ago at={r.lastReceived} /> ago
            </small>
          )}
        </li>
      ))}
    </ul>
  );
}
