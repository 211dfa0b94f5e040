import "./exceptions.css";
import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { Link, useSearchParams } from "react-router";
import { api, type Schemas } from "../../api/client";
import { ChoiceFilter, TextFilter } from "../../components/Filters";
import { Page } from "../../components/Page";
import { Answered, Empty, Failed, Partial } from "../../components/States";
import { Table, type Column } from "../../components/Table";
import { count, plural } from "../../lib/format";
import { sentence } from "../../lib/text";
import { changed } from "../../lib/url";
import { AddException } from "./AddException";
import { names, of, stands, state, type Row } from "./exception";

/** What people accepted until a day: it stays in sight everywhere, and here is why, until when and for how much. */
export function ExceptionsPage() {
  const [params, setParams] = useSearchParams();
  const asked = api.useQuery("get", "/exceptions");
  const adding = params.get("add") === "true";
  const add = (on: boolean) =>
    setParams((p) => {
      const next = changed(p, { add: on ? "true" : undefined });
      if (!on) for (const n of names) next.delete(n);
      return next;
    });
  return (
    <Page
      title="Exceptions"
      aside={
        <>
          <TextFilter name="q" label="CVE, package, image or reason" />
          <ChoiceFilter name="state" label="Any state" choices={stands.map((value) => ({ value, label: value }))} />
          {!adding && (
            <Button size="xs" onClick={() => add(true)}>
              Accept vulnerabilities …
            </Button>
          )}
        </>
      }
    >
      <p>
        Vulnerabilities that people decided to live with until a day. They stay in every list, marked, and end by
        themselves; attack paths and risks are as without them.
      </p>
      {adding && <AddException done={() => add(false)} />}
      <Answered asked={asked}>{(list) => <Exceptions list={list} />}</Answered>
    </Page>
  );
}

function Exceptions({ list }: { list: Schemas["ExceptionList"] }) {
  const [params] = useSearchParams();
  const [wish, setWish] = useState<Row>();
  const columns = useMemo(() => cells(setWish), []);
  const words = (params.get("q") ?? "").toLowerCase(),
    wanted = params.get("state");
  const rows = list.items.filter(
    (r) =>
      (!wanted || state(r) === wanted) && `${of(r)} ${r.reason} ${r.author} ${r.where}`.toLowerCase().includes(words),
  );
  return (
    <>
      {list.error && (
        <Partial>
          <b>Some of it cannot be read now</b>, and counts as it was: {sentence(list.error)}
        </Partial>
      )}
      {wish && <End key={wish.where} row={wish} done={() => setWish(undefined)} />}
      {list.items.length === 0 ? (
        <Empty title="Nobody accepted anything">
          An exception is made here, on the page of a vulnerability, with <code>breakwater exceptions add</code>, or
          kept with the code in a file (<code>serve --exceptions FILE</code>).
        </Empty>
      ) : (
        <>
          <p className="counts" role="status">
            {count(rows.length)} of {plural(list.items.length, "exception")}
          </p>
          {rows.length ? (
            <Table
              label="Exceptions"
              rows={rows}
              rowKey={(r) => r.where}
              columns={columns}
              chosen={(r) => r.where === wish?.where}
            />
          ) : (
            <Empty title="No exception matches">
              None of {count(list.items.length)} fits this filter. <Link to="/exceptions">Show all</Link>.
            </Empty>
          )}
        </>
      )}
    </>
  );
}

const cells = (wish: (row: Row) => void): Column<Row>[] => [
  { title: "State", cell: (r) => state(r), by: (r) => stands.indexOf(state(r)) },
  {
    title: "Of what",
    wraps: true,
    cell: (r) => (
      <>
        {of(r)}
        <small className="onlynarrow">
          until {r.until}: {r.reason}
        </small>
      </>
    ),
    by: of,
  },
  { title: "Why", from: "medium", wraps: true, cell: (r) => r.reason, by: (r) => r.reason },
  {
    title: "Who",
    from: "medium",
    cell: (r) => <span title={r.endedBy ? `ended by ${r.endedBy}` : undefined}>{r.author}</span>,
    by: (r) => r.author,
  },
  { title: "Until", from: "medium", cell: (r) => r.until, by: (r) => r.until },
  {
    title: "Holds for",
    number: true,
    cell: (r) => (
      <>
        {plural(r.findings, "finding")} <small>in {plural(r.images, "image")}</small>
      </>
    ),
    by: (r) => r.findings,
  },
  {
    title: "Written in",
    from: "wide",
    cell: (r) => (r.id ? <span title={r.where}>the portal</span> : r.where),
    by: (r) => r.where,
  },
  {
    title: "Change",
    cell: (r) =>
      r.id &&
      !r.endedAt && (
        <Button
          size="compact-xs"
          variant="default"
          aria-label={`End the exception of ${of(r)}`}
          onClick={() => wish(r)}
        >
          End …
        </Button>
      ),
  },
];

/** Asks whether a person is sure; what it excepted counts again. */
function End({ row, done }: { row: Row; done: () => void }) {
  const queries = useQueryClient();
  const end = api.useMutation("delete", "/exceptions/{id}", {
    onSuccess: async () => {
      await queries.invalidateQueries();
      done();
    },
  });
  return (
    <section
      className="ending"
      aria-label={`End the exception of ${of(row)}`}
      onKeyDown={(e) => e.key === "Escape" && done()}
    >
      <p>
        End the exception of <b>{of(row)}</b>? {plural(row.findings, "finding")} will count again.
      </p>
      <div className="buttons">
        <Button
          size="xs"
          autoFocus
          loading={end.isPending}
          onClick={() => end.mutate({ params: { path: { id: row.id ?? "" } } })}
        >
          End
        </Button>
        <Button size="xs" variant="default" onClick={done}>
          Keep it
        </Button>
      </div>
      {end.error && <Failed error={end.error} />}
    </section>
  );
}
