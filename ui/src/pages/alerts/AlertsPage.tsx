import "./alert.css";
import { Checkbox } from "@mantine/core";
import { useMemo, useState } from "react";
import { Link } from "react-router";
import { api, type Schemas } from "../../api/client";
import { Ago } from "../../components/Ago";
import { AtLeast, ChoiceFilter, Scope, TextFilter } from "../../components/Filters";
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
import { Decide } from "./Decide";

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
  { title: "Assignee", from: "wide", cell: (a) => a.assignee ?? "", by: (a) => a.assignee },
  { title: "Last seen", number: true, cell: (a) => <Ago at={a.lastSeen} />, by: (a) => Date.parse(a.lastSeen) },
];

/** The column by which rows are chosen. */
function choosing(chosen: ReadonlySet<string>, choose: (a: Row) => void): Column<Row> {
  return {
    title: "Choose",
    cell: (a) => (
      <Checkbox
        size="xs"
        aria-label={`Choose ${a.title}, ${a.about}`}
        checked={chosen.has(keyOf(a))}
        onChange={() => choose(a)}
      />
    ),
  };
}

const keyOf = (a: Row) => `${a.cluster}/${a.id}`;

const hours = { hour: 1, day: 24, week: 168, month: 720 } as const;
const times = Object.keys(hours) as (keyof typeof hours)[];
const whose = ["mine", "unassigned"] as const;

const all = (list: Schemas["AlertList"]) => Object.values(list.counts).reduce((sum, n) => sum + n, 0);

/** Security alerts, seen last first. The filter lives in the URL. */
export function AlertsPage() {
  const { get, one, any } = useAsked();
  const [opened] = useState(() => Date.now());
  const seen = one("seen", times),
    of = one("whose", whose);
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
          namespace: get("namespace"),
          assignee: get("assignee"),
          q: get("q"),
          mine: of === "mine" || undefined,
          unassigned: of === "unassigned" || undefined,
          since: seen && new Date(opened - hours[seen] * 3_600_000).toISOString(),
          limit: 200,
        },
      },
    },
    pageByPage,
  );
  const schema = useVocabulary();
  const filters = (
    <>
      <TextFilter name="q" label="Search" />
      <ChoiceFilter name="seen" label="Any time" choices={times.map((t) => ({ value: t, label: `last ${t}` }))} />
      <ChoiceFilter name="whose" label="Everybody's" choices={whose.map((w) => ({ value: w, label: w }))} />
      <ChoiceFilter name="status" label="Open" choices={statuses.map((s) => ({ value: s, label: s }))} />
      <AtLeast name="severity" of={schema?.risks} />
    </>
  );
  return (
    <Page title="Alerts" aside={filters}>
      <Scope names={{ cluster: "cluster", rule: "rule", namespace: "namespace", assignee: "assignee" }} />
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
            {rows.length ? <Alerts rows={rows} you={list.you} /> : <None receiving={list.receiving} />}
          </>
        )}
      </List>
    </Page>
  );
}

/** The rows, of which some may be chosen to be worked on together. */
function Alerts({ rows, you }: { rows: Row[]; you: string }) {
  const [keys, setKeys] = useState<ReadonlySet<string>>(new Set());
  const withChoice = useMemo(
    () => [
      choosing(keys, (a) =>
        setKeys((was) => {
          const now = new Set(was);
          if (!now.delete(keyOf(a))) now.add(keyOf(a));
          return now;
        }),
      ),
      ...columns,
    ],
    [keys],
  );
  const chosen = rows.filter((a) => keys.has(keyOf(a)));
  return (
    <>
      {chosen.length > 0 && (
        <div className="aside chosen" role="group" aria-label="With those that are chosen">
          <b>{plural(chosen.length, "alert")} chosen</b>
          <Decide alerts={chosen} you={you} done={() => setKeys(new Set())} />
        </div>
      )}
      <Table label="Alerts" rows={rows} rowKey={keyOf} columns={withChoice} chosen={(a) => keys.has(keyOf(a))} />
    </>
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
