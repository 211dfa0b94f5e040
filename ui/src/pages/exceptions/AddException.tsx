import { Button, Checkbox, TextInput, Textarea } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { api, type Schemas } from "../../api/client";
import { Findings } from "../../components/Findings";
import { Failed } from "../../components/States";
import { count, plural } from "../../lib/format";
import { inDays, names, values } from "./exception";

const labels: Record<(typeof names)[number], [label: string, description: string]> = {
  vulnerability: ["Vulnerability", "CVE-2022-3602; any of its ids"],
  package: ["Package", "openssl, libssl3@3.0.2, lib*"],
  image: ["Image", "registry.example/shop/web:1"],
  repository: ["Repository", "registry.example/shop/*"],
  digest: ["Digest", "sha256:…"],
  path: ["Path", "/usr/share/**; of all files of the package"],
};

/** Accepts vulnerabilities until a day. What that would except is told before; changing anything asks for it again. */
export function AddException({ done }: { done: () => void }) {
  const [params] = useSearchParams();
  const [said, setSaid] = useState(() => Object.fromEntries(names.map((n) => [n, params.getAll(n).join(" ")])));
  const [unfixed, setUnfixed] = useState(params.get("unfixed") === "true");
  const [reason, setReason] = useState("");
  const [expires, setExpires] = useState(() => inDays(90));
  const wanted: Schemas["NewException"] = { reason, expires, unfixed };
  for (const n of names) wanted[n] = values(said[n] ?? "");
  const queries = useQueryClient();
  const trial = api.useMutation("post", "/exceptions/trial");
  const add = api.useMutation("post", "/exceptions", {
    onSuccess: async () => {
      await queries.invalidateQueries();
      done();
    },
  });
  // An answer to another question is not shown.
  const tried = JSON.stringify(trial.variables?.body.exception) === JSON.stringify(wanted) ? trial : undefined;
  return (
    <section className="accept" aria-label="Accept vulnerabilities" onKeyDown={(e) => e.key === "Escape" && done()}>
      <form
        className="accept-form"
        onSubmit={(e) => {
          e.preventDefault();
          trial.mutate({ body: { exception: wanted } });
        }}
      >
        <p>All that is named must hold; of several values of one field, one.</p>
        <div className="two">
          {names.map((n, i) => (
            <TextInput
              key={n}
              size="xs"
              label={labels[n][0]}
              description={labels[n][1]}
              autoFocus={i === 0}
              value={said[n]}
              onChange={(e) => {
                const value = e.currentTarget.value;
                setSaid((s) => ({ ...s, [n]: value }));
              }}
            />
          ))}
        </div>
        <Checkbox
          size="xs"
          label="Only while there is no fix"
          checked={unfixed}
          onChange={(e) => setUnfixed(e.currentTarget.checked)}
        />
        <Textarea
          size="xs"
          label="Why"
          required
          withAsterisk={false}
          maxLength={2000}
          autosize
          minRows={2}
          maxRows={6}
          value={reason}
          onChange={(e) => setReason(e.currentTarget.value)}
        />
        <TextInput
          size="xs"
          type="date"
          label="Last day (UTC)"
          required
          withAsterisk={false}
          min={inDays(0)}
          value={expires}
          onChange={(e) => setExpires(e.currentTarget.value)}
        />
        <div className="buttons">
          <Button size="xs" type="submit" variant={tried?.data ? "default" : "filled"} loading={trial.isPending}>
            See what it would except
          </Button>
          {tried?.data && (
            <Button size="xs" loading={add.isPending} onClick={() => add.mutate({ body: wanted })}>
              Accept until {expires}
            </Button>
          )}
          <Button size="xs" variant="default" onClick={done}>
            Cancel
          </Button>
        </div>
      </form>
      <div role="status">{tried?.data && <Tried list={tried.data} />}</div>
      {tried?.error && <Failed error={tried.error} />}
      {add.error && <Failed error={add.error} />}
    </section>
  );
}

function Tried({ list }: { list: Schemas["ExceptionList"] }) {
  const [row] = list.items;
  const found = list.findings ?? [];
  if (!row || row.findings === 0) return <p>It would except nothing that was found.</p>;
  return (
    <>
      <p>
        It would except {plural(row.findings, "finding")} in {plural(row.images, "image")}
        {found.length < row.findings && `, of which the first ${count(found.length)} are`}:
      </p>
      <Findings rows={found.map((f) => ({ ...f, exception: undefined }))} />
    </>
  );
}
