import { api, type Schemas } from "../../api/client";
import { Ago } from "../../components/Ago";
import { ChoiceFilter } from "../../components/Filters";
import { List, pageByPage } from "../../components/List";
import { Page } from "../../components/Page";
import { Empty } from "../../components/States";
import { Table, type Column } from "../../components/Table";
import { plural } from "../../lib/format";
import { useAsked } from "../../lib/url";

type Row = Schemas["ActivityRow"];

/** A sign-in that failed is nobody's. */
const who = (a: Row) => a.person || <span className="unknown">not signed in</span>;

const columns: Column<Row>[] = [
  { title: "When", cell: (a) => <Ago at={a.at} />, by: (a) => -Date.parse(a.at) },
  {
    title: "Who",
    cell: (a) => (
      <span className="two">
        <span>{who(a)}</span>
        <small>{a.role}</small>
      </span>
    ),
    by: (a) => a.person,
  },
  {
    title: "What",
    wraps: true,
    cell: (a) => (
      <>
        {a.action}
        <small className="onlynarrow">
          {a.object} {a.outcome !== "done" && a.outcome}
        </small>
      </>
    ),
    by: (a) => a.action,
  },
  { title: "To what", from: "medium", wraps: true, cell: (a) => a.object, by: (a) => a.object },
  { title: "How", from: "wide", wraps: true, cell: (a) => a.detail, by: (a) => a.detail },
  { title: "From where", from: "widest", cell: (a) => a.address, by: (a) => a.address },
  {
    title: "Outcome",
    from: "medium",
    wraps: true,
    cell: (a) => (a.outcome === "done" ? a.outcome : <b>{a.outcome}</b>),
    by: (a) => a.outcome,
  },
];

const choices = (values: string[] | undefined) => (values ?? []).filter(Boolean).map((v) => ({ value: v, label: v }));

/** What people did, the newest first. The filter lives in the URL. */
export function ActivityPage() {
  const { get } = useAsked();
  const asked = api.useInfiniteQuery(
    "get",
    "/activity",
    { params: { query: { person: get("person"), action: get("action"), limit: 200 } } },
    pageByPage,
  );
  const first = asked.data?.pages[0];
  const filters = (
    <>
      <ChoiceFilter name="person" label="Anybody" choices={choices(first?.people)} />
      <ChoiceFilter name="action" label="Any action" choices={choices(first?.actions)} />
    </>
  );
  return (
    <Page title="Activity" aside={filters}>
      <p>
        What people did here and at the command line. Nothing changes or takes back what is recorded;{" "}
        <code>breakwater activity verify</code> says whether it is as it was written.
      </p>
      <List asked={asked}>
        {(list, rows) => (
          <>
            <p className="counts" role="status">
              {plural(list.total, "action")}
            </p>
            {rows.length ? (
              <Table label="Activity" rows={rows} rowKey={(a) => String(a.seq)} columns={columns} />
            ) : (
              <Empty title="Nothing matches">
                Nobody that you may see did this, or it is older than what is kept (
                <code>serve --keep activity=TIME</code>).
              </Empty>
            )}
          </>
        )}
      </List>
    </Page>
  );
}
