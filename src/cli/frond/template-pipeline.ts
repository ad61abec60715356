/**
 * What stands between `{{` and `}}`: commands joined by `|`, each a function with its arguments, a
 * field with a dot, a literal or a pipeline in parentheses.
 */
import { CliError } from "./errors.ts";
import type { TemplateFunctions, TemplateValue } from "./templates.ts";

const TOKEN = /\s*(?:("(?:[^"\\]|\\.)*")|(`[^`]*`)|([-+]?\d[\d_.]*)|(\.?[A-Za-z_]\w*)|([|()]))/y;

const BUILT_IN: TemplateFunctions = {
  print: (...args) => args.join(""),
  println: (...args) => `${args.join(" ")}\n`,
  printf: (format = "", ...args) => printf(String(format), args),
  len: (text = "") => String(text).length,
};

/** The value of one action. */
export function evaluatePipeline(action: string, functions: TemplateFunctions): TemplateValue {
  const parser = new PipelineParser(tokenize(action), functions);
  return parser.whole();
}

function tokenize(action: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (action.slice(TOKEN.lastIndex).trim() !== "") {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(action);
    if (match === null)
      throw fault(`unexpected ${JSON.stringify(action.slice(at).trim())} in action`);
    tokens.push(match[0].trimStart());
  }
  if (tokens.length === 0) throw fault("missing value for command");
  return tokens;
}

class PipelineParser {
  readonly #tokens: readonly string[];
  readonly #functions: TemplateFunctions;
  #next = 0;

  constructor(tokens: readonly string[], functions: TemplateFunctions) {
    this.#tokens = tokens;
    this.#functions = functions;
  }

  whole(): TemplateValue {
    const value = this.#pipeline();
    const rest = this.#tokens[this.#next];
    if (rest !== undefined) throw fault(`unexpected ${JSON.stringify(rest)} in action`);
    return value;
  }

  #pipeline(): TemplateValue {
    let value = this.#command([]);
    while (this.#tokens[this.#next] === "|") {
      this.#next += 1;
      value = this.#command([value]);
    }
    return value;
  }

  /** A command; `piped` is the value of the command before it, the last argument of this one. */
  #command(piped: readonly TemplateValue[]): TemplateValue {
    const head = this.#tokens[this.#next];
    if (head === undefined) throw fault("missing value for command");
    if (!/^\.?[A-Za-z_]/.test(head) || head === "true" || head === "false") {
      const value = this.#operand();
      if (piped.length > 0) throw fault("non executable command in pipeline");
      return value;
    }
    this.#next += 1;
    const args: TemplateValue[] = [];
    for (let t = this.#tokens[this.#next]; t !== undefined && t !== "|" && t !== ")";) {
      args.push(this.#operand());
      t = this.#tokens[this.#next];
    }
    return this.#call(head, [...args, ...piped]);
  }

  #operand(): TemplateValue {
    const token = this.#tokens[this.#next] ?? "";
    this.#next += 1;
    if (token === "(") {
      const value = this.#pipeline();
      if (this.#tokens[this.#next] !== ")") throw fault("unclosed left paren");
      this.#next += 1;
      return value;
    }
    if (token.startsWith('"')) return unquote(token);
    if (token.startsWith("`")) return token.slice(1, -1);
    if (/^[-+]?\d/.test(token)) return Number(token.replaceAll("_", ""));
    if (token === "true" || token === "false") return token === "true";
    if (/^\.?[A-Za-z_]/.test(token)) return this.#call(token, []);
    throw fault(`unexpected ${JSON.stringify(token)} in operand`);
  }

  #call(name: string, args: readonly TemplateValue[]): TemplateValue {
    const bare = name.startsWith(".") ? name.slice(1) : name;
    const found = [this.#functions, BUILT_IN].find((table) => Object.hasOwn(table, bare));
    const fn = found?.[bare];
    if (fn === undefined) {
      throw fault(
        name.startsWith(".") ? `can't evaluate field ${bare}` : `function "${bare}" not defined`,
      );
    }
    return fn(...args);
  }
}

/** %s %v %d %x %q %f %t %% with flags, width and precision. */
function printf(format: string, args: readonly TemplateValue[]): string {
  let next = 0;
  return format.replace(
    /%([-+0 #]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])/g,
    (_, flags: string, width: string | undefined, precision: string | undefined, verb: string) => {
      if (verb === "%") return "%";
      if (next >= args.length) return `%!${verb}(MISSING)`;
      const text = formatOne(verb, args[next++] ?? "", precision, flags);
      const size = Number(width ?? 0);
      if (flags.includes("-")) return text.padEnd(size);
      if (!flags.includes("0")) return text.padStart(size);
      return text.startsWith("-")
        ? `-${text.slice(1).padStart(size - 1, "0")}`
        : text.padStart(size, "0");
    },
  );
}

function formatOne(
  verb: string,
  value: TemplateValue,
  precision: string | undefined,
  flags: string,
): string {
  const sign = flags.includes("+") && Number(value) >= 0 ? "+" : "";
  switch (verb) {
    case "d":
      return sign + String(value);
    case "f":
      return sign + Number(value).toFixed(Number(precision ?? 6));
    case "x":
      return typeof value === "number"
        ? value.toString(16)
        : Buffer.from(String(value), "latin1").toString("hex");
    case "X":
      return formatOne("x", value, precision, flags).toUpperCase();
    case "q":
      return JSON.stringify(String(value));
    default: {
      const text = String(value);
      return precision === undefined ? text : text.slice(0, Number(precision));
    }
  }
}

function unquote(token: string): string {
  return token
    .slice(1, -1)
    .replace(/\\(.)/g, (_, c: string) => ({ n: "\n", t: "\t", r: "\r" })[c] ?? c);
}

function fault(text: string): CliError {
  return new CliError(`template: body:1: ${text}`);
}
