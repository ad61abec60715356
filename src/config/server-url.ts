/** URLs of servers (`nats-leaf://user:pass@host:7422`), taken apart. Schemes are not judged here. */
import type { ServerUrl } from "./options.ts";

/** null for what is no URL. `defaultPort` fills in a missing port; those of ws and wss are 80 and 443. */
export function parseServerUrl(input: string, defaultPort: number): ServerUrl | null {
  const text = input.trim();
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(text) || text.startsWith(":")) return null;
  const match =
    /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(?:([^/?#]*)@)?(\[[^\]]*\]|[^/?#:@[\]]*)(?::([0-9]*))?([/?#].*)?$/.exec(
      text,
    );
  if (match === null) return null;
  const [, scheme = "", userinfo, host = "", digits = "", path = ""] = match;
  if (/[\s<>"^`{|}\\]/.test(host)) return null;
  const lower = scheme.toLowerCase();
  const port = digits === "" ? defaultPort : Number(digits);
  const [user, password] = splitUserinfo(userinfo);
  if (user === undefined) return null;
  const credentials = userinfo === undefined ? "" : `${userinfo}@`;
  return {
    scheme: lower,
    host: host.replace(/^\[|\]$/g, ""),
    port,
    user,
    password: password ?? null,
    path,
    text: `${lower}://${credentials}${host}:${port}${path}`,
  };
}

/** `[null]` without userinfo, `[undefined]` if it is malformed. */
function splitUserinfo(userinfo: string | undefined): [(string | null)?, string?] {
  if (userinfo === undefined) return [null];
  const colon = userinfo.indexOf(":");
  try {
    if (colon < 0) return [decodeURIComponent(userinfo)];
    return [
      decodeURIComponent(userinfo.slice(0, colon)),
      decodeURIComponent(userinfo.slice(colon + 1)),
    ];
  } catch {
    return [];
  }
}

/** The URL for logs and messages, its password hidden. */
export function redactedUrl(url: ServerUrl): string {
  if (url.password === null) return url.text;
  return url.text.replace(/:\/\/([^:@/]*):[^/]*@/, "://$1:xxxxx@");
}
