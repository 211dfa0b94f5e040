import { http, HttpResponse, type JsonBodyType } from "msw";
import { setupServer } from "msw/node";

/** The API as a test says it is; what no test told is an error. */
export const server = setupServer();

const url = (path: string) => `*/api/v1${path}`;

/** Answers a question by GET, and remembers what was asked. */
export function get(path: string, body: JsonBodyType, status = 200): URL[] {
  const asked: URL[] = [];
  server.use(
    http.get(url(path), ({ request }) => {
      asked.push(new URL(request.url));
      return HttpResponse.json(body, {
        status,
        headers: { "Content-Type": status < 400 ? "application/json" : "application/problem+json" },
      });
    }),
  );
  return asked;
}

/** Answers a question by POST from what was sent. */
export function post<T>(path: string, answer: (body: T) => JsonBodyType): T[] {
  const asked: T[] = [];
  server.use(
    http.post(url(path), async ({ request }) => {
      const body = (await request.json()) as T;
      asked.push(body);
      return HttpResponse.json(answer(body));
    }),
  );
  return asked;
}
