import { Button, TextInput } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { server } from "../../api/client";
import { Page } from "../../components/Page";

/** Exchanges the token of a sign-in link, which travels behind # and so reaches no log. */
export function SignInPage() {
  const [problem, setProblem] = useState<string>();
  const [typed, setTyped] = useState("");
  const tried = useRef(false);
  const exchange = async (token: string) => {
    const { error } = await server
      .POST("/session", { body: { token } })
      .catch((e: unknown) => ({ error: { detail: String(e) } }));
    if (error) setProblem(error.detail);
    else globalThis.location.replace("/");
  };
  useEffect(() => {
    const token = globalThis.location.hash.slice(1);
    if (!token || tried.current) return;
    tried.current = true;
    globalThis.history.replaceState(null, "", "/sign-in");
    void exchange(token);
  }, []);
  return (
    <main className="signin">
      <Page title="Sign in to Breakwater">
        <p>
          Open the sign-in link that the server printed, or print a new one with <code>breakwater sign-in</code>.
        </p>
        {problem && (
          <p role="alert" className="problem">
            {problem}
          </p>
        )}
        <form
          onSubmit={(e) => {
            e.preventDefault();
            void exchange(typed.trim().replace(/^.*#/, ""));
          }}
        >
          <TextInput label="Sign-in link" value={typed} onChange={(e) => setTyped(e.currentTarget.value)} />
          <Button type="submit" mt="sm">
            Sign in
          </Button>
        </form>
      </Page>
    </main>
  );
}
