/**
 * Operator mode as configured: whom to trust, where accounts come from, which account is the system's. What
 * contradicts itself is refused here with nats-server's texts; nothing is opened or fetched.
 */
import {
  operatorFault,
  sentinelFault,
  strictKeys,
  trustedKeys,
  type Crypto,
  type OperatorClaims,
  type OperatorTrust,
} from "../auth/index.ts";
import type { Options, ResolverOptions } from "../config/index.ts";
import { decodeOperator } from "./node-host.ts";
import { StartError } from "./start-error.ts";
import { NATS_VERSION } from "./version.ts";

export interface OperatorSettings {
  /** Empty where only trusted keys are configured. */
  readonly operators: readonly OperatorClaims[];
  readonly trust: OperatorTrust;
  readonly resolver: ResolverOptions;
  /** "" = none. */
  readonly systemAccount: string;
}

/** Null without operators or trusted keys. Throws a StartError. */
export function operatorSettings(options: Options, crypto: Crypto): OperatorSettings | null {
  const operators = options.operator.map((jwt) => {
    const decoded = decodeOperator(jwt);
    if (!decoded.ok) throw refusal(`error parsing operator JWT: ${decoded.error}`);
    return decoded.claims;
  });
  if (operators.length === 0 && options.trustedKeys.length === 0) return null;
  const [only] = operators.length === 1 ? operators : [];
  const settings: OperatorSettings = {
    operators,
    trust:
      operators.length > 0
        ? { trustedKeys: trustedKeys(operators), strictKeys: strictKeys(operators) }
        : { trustedKeys: options.trustedKeys, strictKeys: [] },
    resolver: options.resolver ?? ofOperator(only),
    systemAccount: options.systemAccount ?? only?.systemAccount ?? "",
  };
  const fault = settingsFault(options, settings, crypto);
  if (fault !== null) throw refusal(fault);
  return settings;
}

function refusal(text: string): StartError {
  return new StartError("BAD_OPTIONS", text);
}

/** The only operator may name a server of its accounts; `nsc push` uploads to the same place. */
function ofOperator(operator: OperatorClaims | undefined): ResolverOptions {
  if (operator === undefined) return { type: "memory" };
  return { type: "url", url: `${operator.accountServerUrl}/accounts` };
}

function settingsFault(
  options: Options,
  { operators, resolver, systemAccount }: OperatorSettings,
  crypto: Crypto,
): string | null {
  const [first] = operators;
  const named = first?.systemAccount ?? "";
  if (named !== "" && options.systemAccount !== null && options.systemAccount !== named) {
    return "system_account in config and operator JWT must be identical";
  }
  const shared = resolver.type === "full" || resolver.type === "cache";
  // Without an operator such a resolver does not start anyway.
  if (shared && operators.length > 0 && systemAccount === "") {
    return (
      "using nats based account resolver - the system account needs to be specified in " +
      "configuration or the operator jwt"
    );
  }
  return (
    operatorFault(operators, NATS_VERSION) ?? sentinelFault(crypto, options.defaultSentinel ?? "")
  );
}

/** The options with what operators say about the server put in its place. */
export function withOperator(options: Options, settings: OperatorSettings | null): Options {
  const systemAccount = settings?.systemAccount ?? "";
  return systemAccount === "" ? options : { ...options, systemAccount };
}
