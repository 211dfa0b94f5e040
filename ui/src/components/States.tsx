import { Alert, Button, Skeleton } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "react-router";

interface Problem { title?: string; detail?: string; message?: string; status?: number }

/** Skeleton of a table while its first answer is on the way. */
export function Loading({ rows = 8, label = "Loading" }: { rows?: number; label?: string }) {
  return (
    <div role="status" aria-label={label} className="stack">
      {Array.from({ length: rows }, (_, i) => <Skeleton key={i} height={24} radius="sm" />)}
    </div>
  );
}

/** The server's words, and a retry. */
export function Failed({ error, retry }: { error: Problem; retry?: () => void }) {
  return (
    <Alert role="alert" color="gray" variant="outline" title={error.title ?? "The server could not be asked"}>
      <p>{error.detail ?? error.message ?? "It did not answer."}</p>
      {error.status === 401 && <p><Link to="/sign-in">Sign in</Link></p>}
      {retry && <Button size="xs" variant="default" onClick={retry}>Try again</Button>}
    </Alert>
  );
}

/** What would be here, and how to get it. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return <div className="empty"><h2>{title}</h2><div>{children}</div></div>;
}

/** What is missing from a list, and why. */
export function Partial({ children }: { children: ReactNode }) {
  return <div role="note" className="partial">{children}</div>;
}

interface Asked<T> { data: T | undefined; error: unknown; refetch: () => unknown }

/** Draws an answer: old data stays in sight while it is asked for again. */
export function Answered<T>({ asked, children, rows }: { asked: Asked<T>; children: (data: T) => ReactNode; rows?: number }) {
  const problem = asked.error ? <Failed error={asked.error as Problem} retry={() => void asked.refetch()} /> : null;
  if (asked.data === undefined) return problem ?? <Loading rows={rows} />;
  return <>{problem}{children(asked.data)}</>;
}
