// Better Auth with its memory adapter and codes by mail, as a peer of the local run: the same steps
// of a sign-in, in one process. It prints its address, and hands out the mailed codes.
//
// From the folder into which npm has installed better-auth: node better_auth.mjs

import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const installed = createRequire(`${process.cwd()}/`);
const load = (name) => import(pathToFileURL(installed.resolve(name)).href);
const { betterAuth } = await load("better-auth");
const { toNodeHandler } = await load("better-auth/node");
const { memoryAdapter } = await load("better-auth/adapters/memory");
const { emailOTP } = await load("better-auth/plugins");

const codes = new Map();
const server = createServer();
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const address = `http://127.0.0.1:${server.address().port}`;

const auth = betterAuth({
  baseURL: address,
  secret: "a secret of this benchmark alone, 32 letters",
  database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { disabled: true },
  plugins: [emailOTP({ sendVerificationOTP: async ({ email, otp }) => void codes.set(email, otp) })],
});

const handle = toNodeHandler(auth);
server.on("request", (request, response) => {
  const url = new URL(request.url, address);
  if (url.pathname !== "/code") return handle(request, response);
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ code: codes.get(url.searchParams.get("email")) }));
});
console.log(JSON.stringify({ gateway: address }));
