/**
 * Splits a command line into words as a POSIX shell quotes them, without running a shell: nothing
 * in a word is expanded, so what a message contains cannot become a command of its own.
 */
import { CliError } from "./errors.ts";

/** `echo 'a b' "c\"d" e\ f` as four words. */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let i = 0;
  while (i < line.length) {
    const c = line.charAt(i++);
    if (/\s/.test(c)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (c === "'") {
      const end = line.indexOf("'", i);
      if (end < 0) throw new CliError("unterminated single-quoted string");
      word = (word ?? "") + line.slice(i, end);
      i = end + 1;
    } else if (c === '"') {
      const [text, next] = doubleQuoted(line, i);
      word = (word ?? "") + text;
      i = next;
    } else if (c === "\\") {
      if (i >= line.length) throw new CliError("unterminated backslash-escape");
      word = (word ?? "") + line.charAt(i++);
    } else {
      word = (word ?? "") + c;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

/** The text between double quotes that starts at `from`, and where the rest begins. */
function doubleQuoted(line: string, from: number): [text: string, next: number] {
  let text = "";
  for (let i = from; i < line.length; i++) {
    const c = line.charAt(i);
    if (c === '"') return [text, i + 1];
    if (c === "\\" && /["\\$`\n]/.test(line.charAt(i + 1))) text += line.charAt(++i);
    else text += c;
  }
  throw new CliError("unterminated double-quoted string");
}
