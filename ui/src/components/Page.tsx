import type { ReactNode } from "react";
import { useEffect } from "react";

/** A page's title, what belongs beside it, and its content. */
export function Page({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  useEffect(() => { document.title = `${title} · Breakwater`; }, [title]);
  return (
    <>
      <header className="title"><h1>{title}</h1><div className="aside">{aside}</div></header>
      {children}
    </>
  );
}

export function Section({ title, children }: { title: string; children: ReactNode }) {
  return <section className="section"><h2>{title}</h2>{children}</section>;
}
