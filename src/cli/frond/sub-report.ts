/** `sub --report-subjects`: once a second, which subjects receive how much. */
import { bytes, commas, out, outLine, renderTable } from "./output.ts";

export class SubjectReport {
  readonly #top: number;
  readonly #counts = new Map<string, { messages: number; bytes: number }>();
  #timer: NodeJS.Timeout | undefined;

  constructor(top: number) {
    this.#top = top;
  }

  count(subject: string, size: number): void {
    const entry = this.#counts.get(subject) ?? { messages: 0, bytes: 0 };
    entry.messages += 1;
    entry.bytes += size;
    this.#counts.set(subject, entry);
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#print();
    }, 1000);
  }

  /** Prints the last state, so that a run shorter than a second reports too. */
  stop(): void {
    clearInterval(this.#timer);
    this.#print();
  }

  #print(): void {
    const top = [...this.#counts]
      .sort(([a, x], [b, y]) => y.messages - x.messages || (a < b ? -1 : 1))
      .slice(0, this.#top);
    const total = (key: "messages" | "bytes"): number =>
      top.reduce((sum, [, entry]) => sum + entry[key], 0);
    if (process.stdout.isTTY) out("\u001b[2J\u001b[H");
    outLine(
      renderTable({
        title: this.#top === 1 ? "Top Subject Report" : `Top ${this.#top} Active Subjects Report`,
        headings: ["Subject", "Message Count", "Bytes"],
        rows: top.map(([name, entry]) => [name, commas(entry.messages), bytes(entry.bytes)]),
        footer: ["Totals", commas(total("messages")), bytes(total("bytes"))],
      }),
    );
  }
}
