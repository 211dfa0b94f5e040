import "./page.css";
import { useEffect, type ReactNode } from "react";
import { visible } from "../visible/visible";

/** A page's title, what belongs beside it, and its content. */
export function Page({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = `${visible(title)} · Breakwater`;
  }, [title]);
  return (
    <>
      <header className="title">
        <h1>{title}</h1>
        {aside && <div className="aside">{aside}</div>}
      </header>
      {children}
    </>
  );
}

export function Section({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <section className="section">
      <div className="sectiontitle">
        <h2>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}
