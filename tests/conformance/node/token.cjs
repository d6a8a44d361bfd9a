// Puts the token of the environment on every request of the suite, which has no option for one. Loaded by `--require`.
// Its requests leave in three ways: Node's own fetch, the package undici (one global dispatcher), and `http.request`.
const token = process.env.SUITE_TOKEN;
if (token) {
  const value = `Bearer ${token}`;

  const http = require("node:http");
  const request = http.request;
  http.request = function (...args) {
    const made = request.apply(this, args);
    if (!made.headersSent && !made.hasHeader("authorization")) made.setHeader("authorization", value);
    return made;
  };

  const fetched = globalThis.fetch;
  globalThis.fetch = function (input, init = {}) {
    const headers = new Headers(init.headers ?? (input instanceof Request ? input.headers : undefined));
    if (!headers.has("authorization")) headers.set("authorization", value);
    return fetched(input, { ...init, headers });
  };

  const { createRequire } = require("node:module");
  const { Agent, getGlobalDispatcher, setGlobalDispatcher } = createRequire(process.argv[1])("undici");
  class WithToken extends Agent {
    dispatch(options, handler) {
      return super.dispatch({ ...options, headers: withToken(options.headers) }, handler);
    }
  }
  function withToken(headers) {
    if (Array.isArray(headers)) {
      const names = headers.filter((_, place) => place % 2 === 0).map((name) => String(name).toLowerCase());
      return names.includes("authorization") ? headers : [...headers, "authorization", value];
    }
    const known = headers && typeof headers[Symbol.iterator] === "function" ? Object.fromEntries(headers) : { ...headers };
    const there = Object.keys(known).some((name) => name.toLowerCase() === "authorization");
    return there ? known : { ...known, authorization: value };
  }
  if (!(getGlobalDispatcher() instanceof WithToken)) setGlobalDispatcher(new WithToken());
}
