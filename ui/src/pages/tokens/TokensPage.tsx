import "./tokens.css";
import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { Link } from "react-router";
import { api, type Schemas } from "../../api/client";
import { Ago, Until } from "../../components/Ago";
import { ChoiceFilter, Scope } from "../../components/Filters";
import { Page } from "../../components/Page";
import { Answered, Empty, Failed, LoadingThing, Partial } from "../../components/States";
import { Table, type Column } from "../../components/Table";
import { count, plural } from "../../lib/format";
import { useAsked } from "../../lib/url";

type Row = Schemas["Token"];

const states = ["waiting", "ending", "valid", "spent", "expired", "revoked"] as const;

/** What can be done about one of them, once a person is asked whether they are sure. */
type Wish = { row: Row; what: "end" | "rotate" };

/** What clusters and nodes show when they send events, those that need something first. */
export function TokensPage() {
  const { get, one } = useAsked();
  const state = one("state", states);
  const asked = api.useQuery(
    "get",
    "/tokens",
    { params: { query: { cluster: get("cluster") } } },
    { refetchInterval: 10_000 },
  );
  return (
    <Page
      title="Tokens"
      aside={<ChoiceFilter name="state" label="Any state" choices={states.map((s) => ({ value: s, label: s }))} />}
    >
      <Scope names={{ cluster: "cluster" }} />
      <Answered asked={asked} loading={<LoadingThing />}>
        {(list) => <Tokens list={list} rows={state ? list.items.filter((t) => t.state === state) : list.items} />}
      </Answered>
    </Page>
  );
}

function Tokens({ list, rows }: { list: Schemas["TokenList"]; rows: Row[] }) {
  const [wish, setWish] = useState<Wish>();
  const columns = useMemo(() => cells(setWish), []);
  if (list.items.length === 0)
    return (
      <Empty title="Nobody has been given a token">
        {!list.takesEvents && "This server takes no events: start it with --ingest-listen. "}
        <code>breakwater connect audit</code> lets an API server send its audit log,{" "}
        <code>breakwater connect sensor</code> lets the nodes of a cluster join.
      </Empty>
    );
  return (
    <>
      <p className="counts" role="status">
        {states
          .filter((s) => (list.counts[s] ?? 0) > 0)
          .map((s) => `${count(list.counts[s] ?? 0)} ${s}`)
          .join(" · ")}
      </p>
      {(list.counts.waiting ?? 0) > 0 && (
        <Partial>
          {plural(list.counts.waiting ?? 0, "node")} of a name that the cluster does not have{" "}
          {list.counts.waiting === 1 ? "wants" : "want"} to join, and may not.
        </Partial>
      )}
      {wish && <Sure key={wish.row.id + wish.what} wish={wish} done={() => setWish(undefined)} />}
      {rows.length ? (
        <Table
          label="Tokens"
          rows={rows}
          rowKey={(t) => t.id}
          columns={columns}
          chosen={(t) => t.id === wish?.row.id}
        />
      ) : (
        <Empty title="No token matches">
          None of {count(list.items.length)} fits this filter. <Link to="/tokens">Show all</Link>.
        </Empty>
      )}
    </>
  );
}

const name = (t: Row) => (t.node ? `${t.kind} of ${t.node}` : `${t.kind} ${t.id}`);
const lives = (t: Row) => t.state === "valid" || t.state === "ending" || t.state === "spent";

const cells = (wish: (w: Wish) => void): Column<Row>[] => [
  {
    title: "State",
    cell: (t) => (
      <>
        {t.state}
        {t.verified === false && <small> unverified</small>}
      </>
    ),
    by: (t) => states.indexOf(t.state),
  },
  {
    title: "What",
    wraps: true,
    cell: (t) => (
      <>
        {t.kind} <code title={t.id}>{t.node ?? t.id.slice(0, 12)}</code>
        <small className="onlynarrow"> {t.cluster}</small>
        {t.why && <small className="why">{t.why}</small>}
      </>
    ),
    by: (t) => `${t.kind} ${t.node ?? t.id}`,
  },
  { title: "Cluster", from: "medium", cell: (t) => t.cluster, by: (t) => t.cluster },
  {
    title: "Ends",
    number: true,
    from: "medium",
    cell: (t) => (t.expiresAt ? <End at={t.expiresAt} /> : t.kind === "node that waits" ? "" : "never"),
    by: (t) => (t.expiresAt ? Date.parse(t.expiresAt) : undefined),
  },
  {
    title: "Last used",
    number: true,
    from: "medium",
    cell: (t) => (t.lastUsedAt ? <Ago at={t.lastUsedAt} /> : <span className="unknown">never</span>),
    by: (t) => (t.lastUsedAt ? -Date.parse(t.lastUsedAt) : undefined),
  },
  { title: "From", from: "wide", cell: (t) => t.lastUsedFrom ?? "", by: (t) => t.lastUsedFrom },
  { title: "Made by", from: "wide", cell: (t) => t.createdBy ?? "", by: (t) => t.createdBy },
  {
    title: "Made",
    number: true,
    from: "widest",
    cell: (t) => t.createdAt && <Ago at={t.createdAt} />,
    by: (t) => (t.createdAt ? -Date.parse(t.createdAt) : undefined),
  },
  {
    title: "Joined",
    number: true,
    from: "widest",
    cell: (t) => t.uses !== undefined && `${count(t.uses)}${t.maxUses ? ` of ${count(t.maxUses)}` : ""}`,
    by: (t) => t.uses,
  },
  {
    title: "Change",
    cell: (t) =>
      lives(t) && (
        <span className="buttons">
          {t.kind.endsWith("token") && (
            <Button
              size="compact-xs"
              variant="default"
              aria-label={`Rotate the ${name(t)}`}
              onClick={() => wish({ row: t, what: "rotate" })}
            >
              Rotate …
            </Button>
          )}
          <Button
            size="compact-xs"
            variant="default"
            aria-label={`End the ${name(t)}`}
            onClick={() => wish({ row: t, what: "end" })}
          >
            End …
          </Button>
        </span>
      ),
  },
];

function End({ at }: { at: string }) {
  return Date.parse(at) > Date.now() ? <Until at={at} /> : <Ago at={at} />;
}

/** Asks whether a person is sure, does it, and shows a new token the one time that it is told. */
function Sure({ wish: { row, what }, done }: { wish: Wish; done: () => void }) {
  const queries = useQueryClient();
  const changed = { onSuccess: () => queries.invalidateQueries({ predicate: (q) => q.queryKey[1] === "/tokens" }) };
  const end = api.useMutation("delete", "/tokens/{id}", {
    onSuccess: async () => {
      await changed.onSuccess();
      done();
    },
  });
  const rotate = api.useMutation("post", "/tokens/{id}/rotate", changed);
  if (rotate.data) return <Secret of={rotate.data} done={done} />;
  const error = end.error ?? rotate.error;
  const remove = (joined?: boolean) => end.mutate({ params: { path: { id: row.id }, query: { joined } } });
  return (
    <section className="sure" aria-label={`Change the ${name(row)}`} onKeyDown={(e) => e.key === "Escape" && done()}>
      <p>
        {what === "rotate"
          ? "Make the next token? The old one counts beside it for a day."
          : row.kind === "node certificate"
            ? "End it? The sensor is refused at once, and its key is not taken again: to join anew it needs a new one and a token."
            : row.kind === "join token"
              ? "End it? No node joins with it any more. Nodes that did go on, unless their certificates end too."
              : "End it? The audit log that is sent with it is refused at once."}
      </p>
      <div className="buttons">
        {what === "rotate" ? (
          <Button
            size="xs"
            autoFocus
            loading={rotate.isPending}
            onClick={() => rotate.mutate({ params: { path: { id: row.id }, query: {} } })}
          >
            Rotate
          </Button>
        ) : (
          <Button size="xs" autoFocus loading={end.isPending} onClick={() => remove()}>
            End
          </Button>
        )}
        {what === "end" && row.kind === "join token" && (
          <Button size="xs" variant="default" disabled={end.isPending} onClick={() => remove(true)}>
            End, with the certificates that were got with it
          </Button>
        )}
        <Button size="xs" variant="default" onClick={done}>
          Keep it
        </Button>
      </div>
      {error && <Failed error={error} />}
    </section>
  );
}

function Secret({ of, done }: { of: Schemas["TokenSecret"]; done: () => void }) {
  return (
    <section className="sure" aria-label="The new token">
      <p role="status">
        The new {of.kind} of {of.cluster}. It is shown here and never again; the old one counts for{" "}
        <Until at={of.oldUntil} /> at most.
      </p>
      <p>
        <code className="secret">{of.token}</code>
      </p>
      <p>
        <small>
          {of.kind === "join token"
            ? "Put it into the Secret breakwater-sensor of the namespace breakwater-sensor, under token."
            : "Put it into the API server's webhook.kubeconfig, and start the API server again."}
        </small>
      </p>
      <Button size="xs" variant="default" autoFocus onClick={done}>
        I have it
      </Button>
    </section>
  );
}
