import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { scoped } from "../lib/scope";

/** Asks again whenever the server says that there is a new picture; tells whether the line is open. */
export function useLive(): boolean {
  const queries = useQueryClient();
  const [open, setOpen] = useState(true);
  useEffect(() => {
    if (typeof EventSource === "undefined") return;
    const source = new EventSource(scoped("/api/v1/events"));
    let timer: ReturnType<typeof setTimeout> | undefined;
    const changed = () => {
      clearTimeout(timer);
      timer = setTimeout(
        () =>
          void queries.invalidateQueries({
            predicate: (q) => q.queryKey[1] !== "/schema" && q.queryKey[1] !== "/templates",
          }),
        100,
      );
    };
    source.addEventListener("world", changed);
    source.onopen = () => {
      setOpen(true);
      changed();
    };
    source.onerror = () => setOpen(false);
    return () => {
      clearTimeout(timer);
      source.close();
    };
  }, [queries]);
  return open;
}
