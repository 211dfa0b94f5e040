import "@mantine/core/styles.css";
import "@mantine/spotlight/styles.css";
import "./base.css";
import { createRoot } from "react-dom/client";
import { BrowserRouter } from "react-router";
import { App } from "./App";
import { base, within } from "./lib/scope";

const root = document.getElementById("root");
if (root)
  createRoot(root).render(
    <BrowserRouter basename={base(within) || "/"}>
      <App />
    </BrowserRouter>,
  );
