/** The page at the base path: a list of the endpoints. */

const ENTRIES: readonly (readonly [string, string])[] = [
  ["varz", "General"],
  ["linkz", "Links, up and down"],
  ["explainz", "Why a message does not cross: ?subject=…&acc=…"],
  ["leafz", "Leaf nodes"],
  ["connz", "Connections"],
  ["accountz", "Accounts"],
  ["accstatz", "Account statistics"],
  ["subsz", "Subscriptions"],
  ["routez", "Routes"],
  ["gatewayz", "Gateways"],
  ["jsz", "JetStream"],
  ["healthz", "Health"],
  ["debug/vars", "Process"],
];

/** `base` stands before every link. */
export function indexPage(version: string, serverName: string, base: string): string {
  const items = ENTRIES.map(
    ([path, title]) =>
      `      <li><a href="${escapeHtml(base)}/${path}">${title}</a> <code>/${path}</code></li>`,
  );
  const name = escapeHtml(serverName);
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>${name}: monitoring</title>
    <style>
      body { font: 16px/1.6 system-ui, sans-serif; margin: 2rem auto; max-width: 40rem; color: #223 }
      ul { list-style: none; padding: 0 }
      a { color: #2563a8 }
      code { color: #889; font-size: 0.8em }
    </style>
  </head>
  <body>
    <h1>${name}</h1>
    <p>Frond, a NATS server; behaves as v${escapeHtml(version)}</p>
    <ul>
${items.join("\n")}
    </ul>
  </body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
