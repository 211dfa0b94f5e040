import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { Link } from "react-router";
import { api, type Schemas } from "../../api/client";
import { Ago, Until } from "../../components/Ago";
import { ChoiceFilter, TextFilter } from "../../components/Filters";
import { List, pageByPage } from "../../components/List";
import { Reason } from "../../components/Reason";
import { Empty } from "../../components/States";
import { Table, type Column } from "../../components/Table";
import { bytes, count, plural, short } from "../../lib/format";
import { registryPage, thingPage } from "../../lib/links";
import { useAsked } from "../../lib/url";
import { Queue } from "./State";

type Row = Schemas["RegistryImage"];

const states = ["queued", "scanning", "failed", "unsupported", "done"] as const;

/** What a registry holds and where the reading of each image stands. The filter lives in the URL. */
export function Images({ host }: { host: string }) {
  const { get, one } = useAsked();
  const asked = api.useInfiniteQuery(
    "get",
    "/registry/images",
    { params: { query: { host, state: one("state", states), q: get("q"), limit: 200 } } },
    {
      ...pageByPage,
      refetchInterval: (q) => {
        const c = q.state.data?.pages[0]?.counts;
        return c && c.queued + c.scanning > 0 ? 5_000 : false;
      },
    },
  );
  const queries = useQueryClient();
  const { mutate, isPending, error } = api.useMutation("post", "/registry/rescan", {
    onSuccess: () => queries.invalidateQueries({ predicate: (q) => String(q.queryKey[1]).startsWith("/regist") }),
  });
  const columns = useMemo(
    () => cells((image) => mutate({ params: { query: { host, image } } }), isPending),
    [host, mutate, isPending],
  );
  return (
    <>
      <div className="aside queue">
        <TextFilter name="q" label="Repository, tag or digest" />
        <ChoiceFilter name="state" label="Any state" choices={states.map((s) => ({ value: s, label: s }))} />
      </div>
      {error && (
        <p role="alert" className="problem">
          {error.detail}
        </p>
      )}
      <List asked={asked}>
        {(list, rows) => (
          <>
            <p className="counts" role="status">
              <Queue host={host} counts={list.counts} />
            </p>
            {rows.length ? (
              <Table label="Images of the registry" short rows={rows} rowKey={(i) => i.id} columns={columns} />
            ) : (
              <None host={host} total={list.counts.total} />
            )}
          </>
        )}
      </List>
    </>
  );
}

const tags = (i: Row) => i.places.flatMap((p) => p.tags.map((t) => `${p.repository}:${t}`));
const others = (i: Row) => i.places.reduce((n, p) => n + p.tags.length + p.more, 0) - 1;

const cells = (retry: (image: string) => void, busy: boolean): Column<Row>[] => [
  {
    title: "Image",
    wraps: true,
    by: (i) => i.name,
    cell: (i) => (
      <>
        <Link to={thingPage("Image", i.id)} title={i.id}>
          {i.name}
        </Link>
        {others(i) > 0 && <small title={tags(i).join("\n")}> and {plural(others(i), "more name")}</small>}
      </>
    ),
  },
  { title: "State", cell: (i) => i.state, by: (i) => i.state },
  {
    title: "Why",
    wraps: true,
    from: "medium",
    cell: (i) => i.why && <Reason why={i.why} />,
    by: (i) => i.why || undefined,
  },
  { title: "Digest", from: "widest", cell: (i) => <code title={i.id}>{short(i.id)}</code> },
  { title: "Platform", from: "wide", cell: (i) => i.platform ?? "", by: (i) => i.platform },
  {
    title: "Size",
    number: true,
    from: "wide",
    cell: (i) => (i.size === undefined ? <span className="unknown">unknown</span> : bytes(i.size)),
    by: (i) => i.size,
  },
  {
    title: "Pods",
    number: true,
    from: "medium",
    cell: (i) => (i.pods > 0 ? <Link to={thingPage("Image", i.id)}>{count(i.pods)}</Link> : "0"),
    by: (i) => i.pods,
  },
  {
    title: "Since",
    number: true,
    from: "medium",
    cell: (i) => i.updatedAt && <Ago at={i.updatedAt} />,
    by: (i) => (i.updatedAt ? -Date.parse(i.updatedAt) : undefined),
  },
  {
    title: "Next try",
    number: true,
    from: "medium",
    by: (i) => (i.nextTry ? Date.parse(i.nextTry) : undefined),
    cell: (i) =>
      i.state === "failed" ? (
        <>
          {i.nextTry && <Until at={i.nextTry} />}
          {i.attempts > 0 && <small> after {plural(i.attempts, "try", "tries")} </small>}{" "}
          <Button
            size="compact-xs"
            variant="default"
            disabled={busy}
            aria-label={`Try ${i.name} again now`}
            onClick={() => retry(i.id)}
          >
            Now
          </Button>
        </>
      ) : (
        ""
      ),
  },
];

function None({ host, total }: { host: string; total: number }) {
  if (total > 0)
    return (
      <Empty title="No image matches">
        None of {plural(total, "image")} fits this filter. <Link to={registryPage(host)}>Show all</Link>.
      </Empty>
    );
  return (
    <Empty title="No image was found in it yet">
      Images appear when its repositories are listed. What may be read, and what could not be seen, is told below.
    </Empty>
  );
}
