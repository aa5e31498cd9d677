/** Cuts text into lines (LF, CRLF or CR), whatever the chunks. A line keeps its end. */
export class LineSplitter {
  #rest = '';

  /** The lines that are complete. A CR at the end waits for the LF that may follow. */
  push(text: string): string[] {
    const all = this.#rest + text;
    const lines: string[] = [];
    let from = 0;
    for (;;) {
      const end = lineEnd(all, from);
      if (end < 0) break;
      lines.push(all.slice(from, end));
      from = end;
    }
    this.#rest = all.slice(from);
    return lines;
  }

  /** What has no end yet. */
  get pending(): string {
    return this.#rest;
  }

  set pending(text: string) {
    this.#rest = text;
  }

  /** The last line; empty where the text ended with a line's end. */
  end(): string {
    const rest = this.#rest;
    this.#rest = '';
    return rest;
  }
}

function lineEnd(text: string, from: number): number {
  const lf = text.indexOf('\n', from);
  const cr = text.indexOf('\r', from);
  if (cr < 0 || (lf >= 0 && lf < cr)) return lf < 0 ? -1 : lf + 1;
  if (cr === text.length - 1) return -1;
  return text.charCodeAt(cr + 1) === 0x0a ? cr + 2 : cr + 1;
}

/** A line without its end, and the end. */
export function splitEnd(line: string): [string, string] {
  const end = /(?:\r\n|\n|\r)$/.exec(line)?.[0] ?? '';
  return [end === '' ? line : line.slice(0, -end.length), end];
}
