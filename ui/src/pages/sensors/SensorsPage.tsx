import { useMemo, useState } from "react";
import { Link, useSearchParams } from "react-router";
import { api, type Schemas } from "../../api/client";
import { Ago } from "../../components/Ago";
import { ChoiceFilter, Scope } from "../../components/Filters";
import { Gaps } from "../../components/Gaps";
import { List, pageByPage } from "../../components/List";
import { Page, Section } from "../../components/Page";
import { WithPane } from "../../components/Pane";
import { Ref } from "../../components/Ref";
import { Empty, Partial } from "../../components/States";
import { Table, type Column } from "../../components/Table";
import { count, plural } from "../../lib/format";
import { sensorList } from "../../lib/links";
import { sentence } from "../../lib/text";
import { changed, useAsked } from "../../lib/url";
import { Sensor } from "./Sensor";
import { key, lost, states, words, type Row } from "./state";

/** Every node and what its sensor sees, blind ones first. Filter and chosen node live in the URL. */
export function SensorsPage() {
  const { get, one } = useAsked();
  const asked = api.useInfiniteQuery(
    "get",
    "/sensors",
    { params: { query: { cluster: get("cluster"), state: one("state", states), limit: 200 } } },
    { ...pageByPage, refetchInterval: 5_000 },
  );
  return (
    <Page
      title="Sensors"
      aside={
        <ChoiceFilter name="state" label="Any state" choices={states.map((s) => ({ value: s, label: words[s] }))} />
      }
    >
      <Scope names={{ cluster: "cluster" }} />
      <List
        asked={asked}
        total={(list) => list.counts[get("state") ?? ""] ?? list.total}
        below={(list) => (
          <Section title={`Where processes are not seen (${count(list.gaps.length)})`}>
            {list.gaps.length ? (
              <Gaps gaps={list.gaps} />
            ) : (
              <p>
                {list.total > 0
                  ? "Every node that is known has a sensor that sees."
                  : "No node is known, so nothing can be said."}
              </p>
            )}
          </Section>
        )}
      >
        {(list, rows) => (
          <>
            <Counts list={list} cluster={get("cluster")} />
            {rows.length ? <Nodes rows={rows} /> : <None list={list} />}
          </>
        )}
      </List>
    </Page>
  );
}

/** How many nodes are seen, of all; each number opens those nodes. */
function Counts({ list, cluster }: { list: Schemas["SensorList"]; cluster?: string }) {
  const blind = list.total - list.withSensor;
  return (
    <>
      <p className="counts" role="status">
        <Link to={sensorList({ cluster })}>
          {count(list.withSensor)} of {plural(list.total, "node")} {list.withSensor === 1 ? "has" : "have"} a sensor
          that reports
        </Link>
        {states
          .filter((s) => (list.counts[s] ?? 0) > 0)
          .map((s) => (
            <span key={s}>
              {" "}
              ·{" "}
              <Link to={sensorList({ cluster, state: s })}>
                {count(list.counts[s] ?? 0)} {words[s]}
              </Link>
            </span>
          ))}
      </p>
      {blind > 0 && (
        <Partial>
          What runs on {plural(blind, "node")} of {count(list.total)} is not seen while it runs. Which, and what that
          means, is told below.
        </Partial>
      )}
    </>
  );
}

/** The nodes; a chosen one tells of its sensor beside them. */
function Nodes({ rows }: { rows: Row[] }) {
  const [params, setParams] = useSearchParams();
  const [byKey, setByKey] = useState(false);
  const at = params.get("at") ?? "",
    chosen = rows.find((r) => key(r) === at);
  const columns = useMemo<Column<Row>[]>(
    () => [
      { title: "State", cell: (r) => <Open row={r} byKey={setByKey} />, by: (r) => states.indexOf(r.state) },
      {
        title: "Node",
        cell: (r) => (
          <>
            {r.ref ? (
              <Ref to={r.ref} where={false} />
            ) : (
              <span>
                {r.node} <small>not in the graph</small>
              </span>
            )}
            <small className="onlynarrow">{r.cluster}</small>
          </>
        ),
        by: (r) => r.node,
      },
      { title: "Cluster", from: "medium", cell: (r) => r.cluster, by: (r) => r.cluster },
      { title: "Why", wraps: true, from: "medium", cell: (r) => sentence(r.why) },
      {
        title: "Records lost",
        number: true,
        from: "medium",
        cell: (r) =>
          r.seenAt ? (
            <>
              {count(lost(r))} <small>of {count(r.seen)}</small>
            </>
          ) : (
            ""
          ),
        by: (r) => (r.seenAt ? lost(r) : undefined),
      },
      { title: "Kernel", from: "wide", cell: (r) => r.kernel ?? "", by: (r) => r.kernel },
      {
        title: "Last report",
        number: true,
        cell: (r) => (r.seenAt ? <Ago at={r.seenAt} /> : <span className="unknown">never</span>),
        by: (r) => (r.seenAt ? -Date.parse(r.seenAt) : undefined),
      },
    ],
    [],
  );
  const close = () => setParams((p) => changed(p, { at: undefined }), { replace: true, preventScrollReset: true });
  return (
    <WithPane pane={chosen && <Sensor row={chosen} focus={byKey ? at : undefined} close={close} />}>
      <Table label="Nodes" rows={rows} rowKey={key} columns={columns} chosen={(r) => key(r) === at} />
    </WithPane>
  );
}

function Open({ row, byKey }: { row: Row; byKey: (is: boolean) => void }) {
  const [params] = useSearchParams();
  return (
    <Link
      to={{ search: changed(params, { at: key(row) }).toString() }}
      replace
      preventScrollReset
      onClick={(e) => byKey(e.detail === 0)}
      aria-label={`${words[row.state]}: the sensor of ${row.node}`}
    >
      {words[row.state]}
    </Link>
  );
}

function None({ list }: { list: Schemas["SensorList"] }) {
  if (list.total > 0)
    return (
      <Empty title="No node matches">
        None of {plural(list.total, "node")} fits this filter. <Link to="/sensors">Show all</Link>.
      </Empty>
    );
  return (
    <Empty title="No node was seen yet">
      The nodes of every connected cluster appear here, with what their sensors see. Connect a cluster with{" "}
      <code>breakwater serve --from context:NAME</code>.
    </Empty>
  );
}
