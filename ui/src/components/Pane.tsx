import { CloseButton } from "@mantine/core";
import { useEffect, useRef, type ReactNode } from "react";

/** Content with room for a pane beside it. */
export function WithPane({ pane, children }: { pane: ReactNode; children: ReactNode }) {
  return (
    <div className={pane ? "withpane open" : "withpane"}>
      <div className="stack">{children}</div>
      {pane}
    </div>
  );
}

/**
 * Details beside the content: not a dialog, so the page stays in use. Who opens it by keyboard gives a new
 * `focus` and is taken to it; Esc closes it and leads back.
 */
export function Pane({
  label,
  title,
  close,
  focus,
  children,
}: {
  label: string;
  title: ReactNode;
  close: () => void;
  focus?: string;
  children: ReactNode;
}) {
  const pane = useRef<HTMLElement>(null),
    heading = useRef<HTMLHeadingElement>(null),
    opener = useRef<Element>(null),
    ended = useRef(close);
  useEffect(() => {
    ended.current = close;
  });
  useEffect(() => {
    if (!pane.current?.contains(document.activeElement)) opener.current = document.activeElement;
    if (focus) heading.current?.focus({ preventScroll: true });
  }, [focus]);
  const end = () => {
    const inside = pane.current?.contains(document.activeElement);
    ended.current();
    if (inside && opener.current instanceof HTMLElement && opener.current.isConnected)
      opener.current.focus({ preventScroll: true });
  };
  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      if (e.key === "Escape" && !e.defaultPrevented) end();
    };
    document.addEventListener("keydown", key);
    return () => document.removeEventListener("keydown", key);
  }, []);
  return (
    <aside className="pane" aria-label={label} ref={pane}>
      <div className="panetitle">
        <h2 ref={heading} tabIndex={-1}>
          {title}
        </h2>
        <CloseButton size="sm" aria-label="Close (Esc)" title="Close (Esc)" onClick={end} />
      </div>
      {children}
    </aside>
  );
}
