/** The user of a server without authentication: who it says it is, which only logs and monitoring show. */
import type { AcceptedUser, Credentials } from "../contract.ts";

export function anyone(claimed: Credentials | null): AcceptedUser {
  const { label, name } = claimedUser(claimed);
  return {
    ok: true,
    account: "$G",
    label,
    permissions: null,
    limits: { maxPayload: -1, maxSubscriptions: -1 },
    expires: null,
    authorizedUser: name,
    jwt: "",
    issuerKey: "",
    nameTag: "",
    tags: [],
    proxyKey: "",
  };
}

function claimedUser(claimed: Credentials | null): { label: string; name: string } {
  if (claimed === null) return { label: "", name: "" };
  const { nkey, user, authToken } = claimed;
  if (nkey !== "") return { label: `nkey:${nkey}`, name: nkey };
  if (user !== "") return { label: `user:${user}`, name: user };
  return authToken === "" ? { label: "", name: "" } : { label: "token", name: "[REDACTED]" };
}
