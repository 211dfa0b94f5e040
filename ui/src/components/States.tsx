import { Alert, Button, Skeleton } from "@mantine/core";
import { useEffect, useState, type ReactNode } from "react";
import { Link } from "react-router";
import { plural } from "../lib/format";

interface Problem {
  title?: string;
  detail?: string;
  message?: string;
  status?: number;
  /** In how many seconds the server wants to be asked again. */
  retryAfter?: number;
}

/** A table before its first answer: its head and its rows, at the height they will have. */
export function Loading({ rows = 10, label = "Loading" }: { rows?: number; label?: string }) {
  return (
    <div role="status" aria-label={label} className="skeleton">
      {Array.from({ length: rows }, (_, i) => (
        <div key={i}>
          <Skeleton height={12} width={i === 0 ? "24%" : `${60 + ((i * 17) % 35)}%`} radius="sm" />
        </div>
      ))}
    </div>
  );
}

/** A page of a thing before its first answer: a picture or properties, and two columns of text. */
export function LoadingThing({ label = "Loading" }: { label?: string }) {
  return (
    <div role="status" aria-label={label} className="stack">
      <Skeleton height={12} width="40%" radius="sm" />
      <Skeleton height={200} radius="sm" />
      <div className="beside">
        {[0, 1].map((c) => (
          <div key={c} className="stack">
            {[80, 65, 90, 55].map((w) => (
              <Skeleton key={w} height={12} width={`${w}%`} radius="sm" />
            ))}
          </div>
        ))}
      </div>
    </div>
  );
}

/** Whether the server does not want to be asked again yet. */
function useTooSoon(error: Problem): boolean {
  const [over, setOver] = useState<Problem>();
  useEffect(() => {
    if (!error.retryAfter) return;
    const timer = setTimeout(() => setOver(error), error.retryAfter * 1000);
    return () => clearTimeout(timer);
  }, [error]);
  return error.retryAfter !== undefined && over !== error;
}

/** The server's words, and a retry: not before the time that the server names. */
export function Failed({ error, retry }: { error: Problem; retry?: () => void }) {
  const tooSoon = useTooSoon(error);
  return (
    <Alert role="alert" color="gray" variant="outline" title={error.title ?? "The server could not be asked"}>
      <p>{error.detail ?? error.message ?? "It did not answer."}</p>
      {error.status === 401 && (
        <p>
          <Link to="/sign-in">Sign in</Link>
        </p>
      )}
      {retry && error.retryAfter !== undefined && (
        <p>The server wants to be asked again in {plural(error.retryAfter, "second")} at the earliest.</p>
      )}
      {retry && (
        <Button size="xs" variant="default" onClick={retry} disabled={tooSoon}>
          Try again
        </Button>
      )}
    </Alert>
  );
}

/** What would be here, and how to get it. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      <div>{children}</div>
    </div>
  );
}

/** What is missing, and why. */
export function Partial({ children }: { children: ReactNode }) {
  return (
    <div role="note" className="partial">
      {children}
    </div>
  );
}

interface Asked<T> {
  data: T | undefined;
  error: unknown;
  refetch: () => unknown;
}

/** Draws an answer: old data stays in sight while it is asked for again. */
export function Answered<T>({
  asked,
  children,
  loading = <Loading />,
}: {
  asked: Asked<T>;
  children: (data: T) => ReactNode;
  loading?: ReactNode;
}) {
  const problem = asked.error ? <Failed error={asked.error as Problem} retry={() => void asked.refetch()} /> : null;
  if (asked.data === undefined) return problem ?? loading;
  return (
    <>
      {problem}
      {children(asked.data)}
    </>
  );
}
