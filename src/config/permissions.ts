/**
 * Permissions in their three forms (a subject, a list, allow and deny) -> core's `Permissions`.
 *
 * An empty allow list means no restriction, except after `allow_responses`: then nothing but tracked replies
 * may be published.
 */
import { type Permissions, type SubjectRules, isValidSubject } from "../core/index.ts";
import { parseDuration } from "./duration.ts";
import { integer } from "./kinds.ts";
import type { Kind, Reading } from "./rows.ts";
import { snakeCase } from "./rows.ts";
import { type ConfigNode, display, quote, typeName } from "./value.ts";

type Draft<T> = { -readonly [K in keyof T]: T[K] };
type Responses = Draft<NonNullable<Permissions["responses"]>>;

const EVERYTHING: SubjectRules = { allow: null, deny: [] };
const RESPONSES: Responses = { max: 1, expires: 120_000 };

/** A subject or a list of subjects, without queues: `deny_imports` and the like. */
export const subjectList: Kind<readonly string[]> = {
  label: "list of subjects",
  read: (node, reading) => readSubjects(node, reading, { queues: false, placed: true }),
};

export const permissions: Kind<Permissions> = {
  label: "permissions",
  read(node, reading) {
    if (node.value.kind !== "map") {
      return reading.error(node, `Expected permissions to be a map/struct, got ${display(node)}`);
    }
    const result: Draft<Permissions> = {
      publish: EVERYTHING,
      subscribe: EVERYTHING,
      responses: null,
    };
    for (const [key, child] of node.value.entries) readDirection(key, child, result, reading);
    if (result.responses !== null && result.publish.allow === null) {
      result.publish = { allow: [], deny: result.publish.deny };
    }
    return result;
  },
};

function readDirection(
  key: string,
  node: ConfigNode,
  into: Draft<Permissions>,
  reading: Reading,
): void {
  switch (nameOf(key, node)) {
    case "pub":
    case "publish":
    case "import":
      into.publish = readRules(node, reading, false) ?? into.publish;
      return;
    case "sub":
    case "subscribe":
    case "export":
      into.subscribe = readRules(node, reading, true) ?? into.subscribe;
      return;
    case "publish_allow_responses":
    case "allow_responses":
    case "responses":
      // `responses` is the name core gives them, for permissions that come from a program.
      if (key.toLowerCase() !== "responses" || node.path !== null) {
        into.responses = readResponses(node, reading);
        return;
      }
  }
  if (!node.usedVariable) reading.error(node, `Unknown field ${quote(key)} parsing permissions`);
}

const nameOf = (key: string, node: ConfigNode): string =>
  node.path === null ? key.toLowerCase() : snakeCase(key);

function readRules(node: ConfigNode, reading: Reading, queues: boolean): SubjectRules | undefined {
  if (node.value.kind !== "map") {
    const allow = readSubjects(node, reading, { queues, placed: false });
    return allow && { allow: allow.length > 0 ? allow : null, deny: [] };
  }
  let allow: readonly string[] | null = null;
  let deny: readonly string[] = [];
  for (const [key, child] of node.value.entries) {
    const name = key.toLowerCase();
    if (name === "allow") {
      const subjects = readSubjects(child, reading, { queues, placed: true });
      allow = subjects !== undefined && subjects.length > 0 ? subjects : null;
    } else if (name === "deny") {
      deny = readSubjects(child, reading, { queues, placed: true }) ?? [];
    } else if (!child.usedVariable) {
      const problem = "parsing subject permissions, only 'allow' or 'deny' are permitted";
      reading.error(child, `Unknown field name ${quote(key)} ${problem}`);
    }
  }
  return { allow, deny };
}

interface SubjectForm {
  /** Whether `subject queue` is allowed. */
  readonly queues: boolean;
  /** Whether a fault is reported with its place: nats-server has none for a list given directly. */
  readonly placed: boolean;
}

function readSubjects(
  node: ConfigNode,
  reading: Reading,
  form: SubjectForm,
): readonly string[] | undefined {
  const place = form.placed || node.path !== null ? node : null;
  const items = node.value.kind === "array" ? node.value.items : [node];
  const subjects: string[] = [];
  for (const item of items) {
    if (item.value.kind === "string") {
      const fault = subjectFault(item.value.text, form.queues);
      if (fault !== null) return reading.error(place, fault);
      subjects.push(item.value.text);
    } else if (node.value.kind === "array") {
      return reading.error(item, "Subject in permissions array cannot be cast to string");
    } else {
      const expected = "Expected subject permissions to be a subject, or array of subjects";
      return reading.error(place, `${expected}, got ${typeName(node)}`);
    }
  }
  return subjects;
}

function subjectFault(entry: string, queues: boolean): string | null {
  if (isValidSubject(entry)) return null;
  const words = entry.split(/\s+/).filter((word) => word !== "");
  const [subject, queue] = words;
  if (!queues || words.length !== 2 || subject === undefined || queue === undefined) {
    return `subject ${quote(entry)} is not a valid subject`;
  }
  if (!isValidSubject(subject)) return `subject ${quote(subject)} is not a valid subject`;
  return isValidSubject(queue) ? null : `queue ${quote(queue)} is not a valid queue`;
}

function readResponses(node: ConfigNode, reading: Reading): Permissions["responses"] {
  if (node.value.kind === "boolean") return node.value.value ? RESPONSES : null;
  if (node.value.kind !== "map") {
    const expected = "expected a boolean or a map";
    reading.error(node, `error parsing response permissions, ${expected}`);
    return null;
  }
  const result = { ...RESPONSES };
  for (const [key, child] of node.value.entries) {
    switch (nameOf(key, child)) {
      case "max":
      case "max_msgs":
      case "max_messages":
      case "max_responses":
        result.max = integer.read(child, reading, key) || RESPONSES.max;
        break;
      case "expires":
      case "expiration":
      case "ttl":
        result.expires = readExpires(child, reading) || RESPONSES.expires;
        break;
      default:
        if (!child.usedVariable) {
          reading.error(child, `Unknown field ${quote(key)} parsing permissions`);
        }
    }
  }
  return result;
}

function readExpires(node: ConfigNode, reading: Reading): number | undefined {
  if (node.path !== null && node.value.kind === "integer") return Number(node.value.value);
  if (node.value.kind !== "string") {
    return reading.error(node, "error parsing expires, not a duration string");
  }
  const expires = parseDuration(node.value.text);
  if (typeof expires === "number") return expires;
  return reading.error(node, `error parsing expires: ${expires.fault}`);
}
