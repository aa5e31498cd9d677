/** Cuts text into lines (LF, CRLF or CR), independently of the chunks. A line keeps its end. */
export class LineSplitter {
  /** Made of pieces: as long as no line ends, it is not looked at, so that many small pieces cost what one does. */
  #rest = '';
  #endsInCr = false;

  /** The lines that are complete. A CR at the end waits for the LF that may follow. */
  push(text: string): string[] {
    if (text === '') return [];
    if (!this.#endsInCr && !/[\r\n]/.test(text)) {
      this.#rest += text;
      return [];
    }
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
    this.#endsInCr = all.endsWith('\r');
    return lines;
  }

  /** Characters that have no end of a line yet. */
  get pendingLength(): number {
    return this.#rest.length;
  }

  /** Whether all that waits is a CR: it ends an empty line. */
  get isAtCr(): boolean {
    return this.#endsInCr && this.#rest.length === 1;
  }

  /** The last line; empty where the text ended with a line's end. */
  end(): string {
    const rest = this.#rest;
    this.#rest = '';
    this.#endsInCr = false;
    return rest;
  }
}

const lineBreak = /\r\n|\n|\r(?!$)/g;

function lineEnd(text: string, from: number): number {
  lineBreak.lastIndex = from;
  return lineBreak.test(text) ? lineBreak.lastIndex : -1;
}

/** A line without its end, and the end. */
export function splitEnd(line: string): [string, string] {
  const end = /(?:\r\n|\n|\r)$/.exec(line)?.[0] ?? '';
  return [end === '' ? line : line.slice(0, -end.length), end];
}
