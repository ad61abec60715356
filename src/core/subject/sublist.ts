/**
 * The trie of subscriptions of one account, walked only when the match cache misses.
 *
 *            root
 *           /    \
 *        "foo"    *            `next` by token, `*` in `partial`, `>` in `full`
 *        /   \     \
 *     "bar"   >    "bar"       values stand at the node of their last token
 *
 * Invariants: a node without values and children is removed; order among values is insertion order.
 * Subjects are latin1 strings that the caller has checked. Bench: `bench/` rows with many subjects.
 */
class TrieNode<T> {
  next: Map<string, TrieNode<T>> | null = null;
  partial: TrieNode<T> | null = null;
  full: TrieNode<T> | null = null;
  values: T[] = [];

  get isEmpty(): boolean {
    return (
      this.values.length === 0 &&
      this.partial === null &&
      this.full === null &&
      (this.next === null || this.next.size === 0)
    );
  }
}

export class Sublist<T> {
  #root = new TrieNode<T>();
  #count = 0;
  inserts = 0;
  removes = 0;
  /** Walks of the trie, i.e. misses of the cache above. */
  matches = 0;

  get count(): number {
    return this.#count;
  }

  insert(subject: string, value: T): void {
    let node = this.#root;
    for (const token of subject.split(".")) {
      if (token === "*") node = node.partial ??= new TrieNode();
      else if (token === ">") node = node.full ??= new TrieNode();
      else {
        node.next ??= new Map();
        let child = node.next.get(token);
        if (child === undefined) node.next.set(token, (child = new TrieNode()));
        node = child;
      }
    }
    node.values.push(value);
    this.#count++;
    this.inserts++;
  }

  /** Returns false if the value was not there. */
  remove(subject: string, value: T): boolean {
    const removed = removeFrom(this.#root, subject.split("."), 0, value);
    if (removed) {
      this.#count--;
      this.removes++;
    }
    return removed;
  }

  /** Appends to `found` every value whose subject matches this literal one (taken token by token as it is). */
  match(subject: string, found: T[]): T[] {
    this.matches++;
    collect(this.#root, subject.split("."), 0, found);
    return found;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    yield* walk(this.#root);
  }
}

/** Recursion is bounded by the tokens of a subject, which a control line bounds. */
function collect<T>(node: TrieNode<T>, tokens: readonly string[], at: number, found: T[]): void {
  const token = tokens[at];
  // An empty token matches nothing, as in nats-server's tokenizer for publishing.
  if (token === undefined || token === "") return;
  const last = at + 1 === tokens.length;
  if (node.full !== null && (last || validRest(tokens, at + 1))) push(found, node.full.values);
  if (node.partial !== null) {
    if (last) push(found, node.partial.values);
    else collect(node.partial, tokens, at + 1, found);
  }
  const child = node.next?.get(token);
  if (child !== undefined) {
    if (last) push(found, child.values);
    else collect(child, tokens, at + 1, found);
  }
}

function validRest(tokens: readonly string[], from: number): boolean {
  for (let i = from; i < tokens.length; i++) if (tokens[i] === "") return false;
  return true;
}

function push<T>(found: T[], values: readonly T[]): void {
  for (const value of values) found.push(value);
}

function removeFrom<T>(
  node: TrieNode<T>,
  tokens: readonly string[],
  at: number,
  value: T,
): boolean {
  if (at === tokens.length) {
    const index = node.values.indexOf(value);
    if (index < 0) return false;
    node.values.splice(index, 1);
    return true;
  }
  const token = tokens[at] ?? "";
  const child = token === "*" ? node.partial : token === ">" ? node.full : node.next?.get(token);
  if (child === null || child === undefined) return false;
  if (!removeFrom(child, tokens, at + 1, value)) return false;
  if (child.isEmpty) {
    if (token === "*") node.partial = null;
    else if (token === ">") node.full = null;
    else node.next?.delete(token);
  }
  return true;
}

function* walk<T>(node: TrieNode<T>): IterableIterator<T> {
  yield* node.values;
  if (node.partial !== null) yield* walk(node.partial);
  if (node.full !== null) yield* walk(node.full);
  if (node.next !== null) for (const child of node.next.values()) yield* walk(child);
}
