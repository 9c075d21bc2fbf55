import http from "node:http";
import { createInterface } from "node:readline/promises";

// Connections are kept for the next requests.
const agent = new http.Agent({ keepAlive: true });

/** The status for the caller, and the id of the key. Whatever is not 200 is a refusal. */
function verify(authorization, permission) {
  return new Promise((resolve, reject) => {
    const request = http.get(
      {
        agent,
        socketPath: "/run/keyvigil/keyvigil.sock",
        path: `/verify?permission=${encodeURIComponent(permission)}`,
        headers: { Authorization: authorization },
        timeout: 5000,
      },
      (answer) => {
        answer.resume();
        const status = Number(answer.headers["x-keyvigil-status"] ?? answer.statusCode);
        answer.on("end", () => resolve([status, answer.headers["x-keyvigil-key-id"]]));
      },
    );
    request.on("timeout", () => request.destroy(new Error("no answer")));
    request.on("error", reject);
  });
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(...(await verify(line, "invoices:read")));
}
agent.destroy();
