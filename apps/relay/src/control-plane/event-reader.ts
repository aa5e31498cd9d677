/** Server-sent events (WHATWG HTML §9.2.6), as far as our own control plane uses them: `event` and `data`, UTF-8. */
const maxEventLength = 64 * 1024;

/** A function to be fed the stream's bytes in order; calls `onEvent` for every event. Throws where one is absurdly long. */
export function createEventReader(onEvent: (event: string, data: string) => void): (chunk: Uint8Array) => void {
  const decoder = new TextDecoder();
  let rest = '';
  let event = 'message';
  let data: string[] = [];

  function takeLine(line: string): void {
    if (line === '') {
      if (data.length > 0) onEvent(event, data.join('\n'));
      event = 'message';
      data = [];
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'event') event = value;
    else if (field === 'data') data.push(value);
  }

  return (chunk) => {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop()!;
    if (rest.length > maxEventLength || data.length > maxEventLength) throw new Error('an event of the control plane is too long');
    for (const line of lines) takeLine(line);
  };
}
