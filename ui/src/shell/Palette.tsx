import { Spotlight, closeSpotlight } from "@mantine/spotlight";
import { useState, type KeyboardEvent } from "react";
import { useNavigate } from "react-router";
import { api } from "../api/client";
import { thingPage } from "../lib/links";
import { pages } from "./pages";

/** ⌘K: any thing by name, CVE, digest or address, and the pages. */
export function Palette() {
  const [typed, setTyped] = useState("");
  const go = useNavigate();
  const words = typed.trim();
  const hits = api.useQuery("get", "/search", { params: { query: { q: words } } }, { enabled: words.length > 1, placeholderData: (old) => old });
  const actions = [
    ...pages.filter(([, title]) => title.toLowerCase().includes(words.toLowerCase())).map(([to, title]) => ({ id: to, label: title, description: "Page", onClick: () => void go(to) })),
    ...(words.length > 1 ? hits.data ?? [] : []).map((h) => ({
      id: `${h.ref.kind} ${h.ref.id}`, label: h.ref.name || h.ref.id, description: [h.kindLabel, h.ref.cluster, h.ref.namespace, h.matched].filter(Boolean).join(" · "),
      onClick: () => void go(thingPage(h.ref.kind, h.ref.id)),
    })),
  ];
  /** Enter without a choice takes the first hit: the best one stands on top. */
  const enter = (e: KeyboardEvent<HTMLInputElement>) => {
    if (e.key !== "Enter" || document.querySelector(".mantine-Spotlight-action[data-selected]")) return;
    actions[0]?.onClick();
    closeSpotlight();
  };
  const nothing = hits.error ? "The server could not be asked" : hits.isFetching ? "Searching …" : words.length > 1 ? "Nothing of that name" : "Type two letters or more";
  return (
    <Spotlight actions={actions} query={typed} onQueryChange={setTyped} filter={(_, all) => all} nothingFound={nothing} shortcut={["mod + K"]} scrollable maxHeight={400}
      searchProps={{ placeholder: "Name, CVE, digest or address", "aria-label": "Search anything", onKeyDown: enter }} />
  );
}
