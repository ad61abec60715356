/**
 * The endpoints as requests over the system account ask for them: the same snapshots, with options as JSON
 * members. Subjects, envelopes and filters are the business of whoever answers the request.
 */
import { accountz, accstatz } from "./accountz.ts";
import { gatewayz, jsz, routez } from "./clusters.ts";
import { connz } from "./connz.ts";
import { explainz } from "./explainz.ts";
import { healthJson, healthz } from "./healthz.ts";
import type { Json } from "./json.ts";
import { leafz } from "./leafz.ts";
import { linkz } from "./linkz.ts";
import { debugVars, ipqueuesz } from "./runtime.ts";
import type { MonitorState } from "./state.ts";
import { subsz } from "./subsz.ts";
import { varz } from "./varz.ts";

/** The members of a request's body; those of another type than the option's count as absent. */
class ServiceOptions {
  readonly #members: Readonly<Record<string, unknown>>;

  constructor(members: Readonly<Record<string, unknown>>) {
    this.#members = members;
  }

  text(name: string): string {
    const value = this.#members[name];
    return typeof value === "string" ? value : "";
  }

  flag(name: string): boolean {
    return this.#members[name] === true;
  }

  number(name: string): number {
    const value = this.#members[name];
    return typeof value === "number" ? value : 0;
  }

  texts(name: string): string[] {
    const value = this.#members[name];
    return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
  }
}

type Service = (state: MonitorState, options: ServiceOptions) => Json;

const CONNZ_STATES = ["open", "closed", "all"] as const;

const SERVICES: Readonly<Record<string, Service>> = {
  VARZ: (state) => varz(state),
  CONNZ: (state, options) =>
    connz(state, {
      sort: options.text("sort"),
      auth: options.flag("auth"),
      subscriptions: options.flag("subscriptions"),
      subscriptionsDetail: options.flag("subscriptions_detail"),
      offset: options.number("offset"),
      limit: options.number("limit"),
      cid: options.number("cid"),
      mqttClient: options.text("mqtt_client"),
      state: CONNZ_STATES[options.number("state")] ?? "open",
      user: options.text("user"),
      account: options.text("acc"),
      filterSubject: options.text("filter_subject"),
    }),
  ROUTEZ: (state) => routez(state),
  GATEWAYZ: (state) => gatewayz(state),
  LEAFZ: (state, options) =>
    leafz(state, {
      subscriptions: options.flag("subscriptions"),
      account: options.text("account"),
    }),
  LINKZ: (state, options) => linkz(state, { account: options.text("account") }),
  EXPLAINZ: (state, options) =>
    explainz(state, { account: options.text("account"), subject: options.text("subject") }),
  SUBSZ: (state, options) =>
    subsz(state, {
      offset: options.number("offset"),
      limit: options.number("limit"),
      subscriptions: options.flag("subscriptions"),
      account: options.text("account"),
      test: options.text("test"),
    }),
  ACCOUNTZ: (state, options) => accountz(state, { account: options.text("account") }),
  ACCSTATZ: (state, options) =>
    accstatz(state, {
      accounts: options.texts("accounts"),
      includeUnused: options.flag("include_unused"),
    }),
  JSZ: (state, options) => jsz(state, { leaderOnly: options.flag("leader_only") }),
  HEALTHZ: (state, options) =>
    healthJson(
      healthz(state, {
        account: options.text("account"),
        stream: options.text("stream"),
        consumer: options.text("consumer"),
        details: options.flag("details"),
        links: options.flag("links"),
      }),
      true,
    ),
  IPQUEUESZ: (_, options) =>
    ipqueuesz({ get: (name) => (name === "all" && options.flag("all") ? "1" : null) }),
  RAFTZ: () => ({}),
  EXPVARZ: (state) => debugVars(state),
};

/** The names that `serviceData` knows. */
export const SERVICE_NAMES: readonly string[] = Object.keys(SERVICES);

/** The `data` of an answer; null for a name that is none of these. Throws `MonitorError` for bad options. */
export function serviceData(
  state: MonitorState,
  name: string,
  members: Readonly<Record<string, unknown>>,
): Json | null {
  const service = Object.hasOwn(SERVICES, name) ? SERVICES[name] : undefined;
  return service === undefined ? null : service(state, new ServiceOptions(members));
}
