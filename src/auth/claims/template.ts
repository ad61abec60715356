/**
 * Scoped signing keys: a user they sign has the rights of the key's template, whose subjects may refer to the
 * user and its account (`{{name()}}`, `{{tag(region)}}`). A tag with several values multiplies the subject.
 */
import { isValidSubject } from "../../core/subject/subject.ts";
import type { AccountClaims, UserScope } from "./account.ts";
import { isBlank, type SubjectClaims, type UserClaims, type UserRights } from "./user.ts";

const EXPANSIONS_MAX = 4096;
const PLACEHOLDER = /\{\{([^}]+)\}{2}/g;

export type ScopedRights =
  | { readonly ok: true; readonly rights: UserRights }
  | { readonly ok: false; readonly fault: "blank" | "template"; readonly error: string };

/** The rights that the scope gives this user. */
export function scopedRights(
  scope: UserScope,
  user: UserClaims,
  account: AccountClaims,
): ScopedRights {
  if (!isBlank(user.rights)) {
    const error = "scoped users require no permissions or limits set";
    return { ok: false, fault: "blank", error };
  }
  try {
    const { permissions } = scope.template;
    const expand = new Expansion(user, account);
    const publish = expand.lists(permissions.publish);
    const subscribe = expand.lists(permissions.subscribe);
    return {
      ok: true,
      rights: { ...scope.template, permissions: { ...permissions, publish, subscribe } },
    };
  } catch (cause) {
    if (cause instanceof TemplateError) {
      return { ok: false, fault: "template", error: cause.message };
    }
    throw cause;
  }
}

class TemplateError extends Error {}

class Expansion {
  readonly #user: UserClaims;
  readonly #account: AccountClaims;

  constructor(user: UserClaims, account: AccountClaims) {
    this.#user = user;
    this.#account = account;
  }

  lists({ allow, deny }: SubjectClaims): SubjectClaims {
    const allowed = this.#list(allow, false);
    const denied = this.#list(deny, true);
    // An allow list of which nothing is left must not turn into "everything".
    const closed = allow.length > 0 && allowed.length === 0;
    return { allow: allowed, deny: closed ? [...denied, ">"] : denied };
  }

  /** In a strict (deny) list whatever does not become a subject is an error; elsewhere it is dropped. */
  #list(list: readonly string[], strict: boolean): readonly string[] {
    if (!list.some((subject) => subject.search(PLACEHOLDER) >= 0)) return list;
    const out: string[] = [];
    for (const template of list) {
      for (const subject of this.#subjects(template, strict)) {
        if (isValidSubject(subject)) out.push(subject);
        else if (strict) throw new TemplateError("generated invalid subject");
      }
      if (out.length > EXPANSIONS_MAX) throw tooMany();
    }
    return out;
  }

  #subjects(template: string, strict: boolean): readonly string[] {
    let subjects: readonly string[] = [template];
    for (const [whole, inner = ""] of template.matchAll(PLACEHOLDER)) {
      const values = this.#values(template, inner.trim(), strict);
      if (subjects.length * values.length > EXPANSIONS_MAX) throw tooMany();
      // Each occurrence is its own factor, but a value replaces all occurrences that are still there.
      subjects = subjects.flatMap((subject) =>
        values.map((value) => subject.replaceAll(whole, () => value)),
      );
    }
    return [...new Set(subjects)];
  }

  #values(template: string, operation: string, strict: boolean): readonly string[] {
    const name = operation.toLowerCase();
    if (name === "name()") return [this.#user.name];
    if (name === "subject()") return [this.#user.subject];
    if (name === "account-name()") return [this.#account.name];
    if (name === "account-subject()") return [this.#user.issuerAccount];
    const [, whose, tag] = /^(tag|account-tag)\((.*)\)$/.exec(name) ?? [];
    if (whose === undefined || tag === undefined) {
      throw new TemplateError(`template operation in "${template}": "${operation}" is not defined`);
    }
    const tags = whose === "tag" ? this.#user.tags : this.#account.tags;
    const prefix = `${tag}:`;
    const values = tags.filter((t) => t.startsWith(prefix)).map((t) => t.slice(prefix.length));
    if (values.length > 0) return values;
    if (strict) {
      const cause = `"${tag}" is not defined`;
      throw new TemplateError(`generated invalid subject "${template}": ${cause}`);
    }
    // Becomes an invalid subject, which an allow list drops.
    return [" "];
  }
}

function tooMany(): TemplateError {
  return new TemplateError(`template expansion exceeds limit: ${EXPANSIONS_MAX}`);
}
