/** `application/problem+json` (RFC 9457) as Hoop sends it. */
export interface Problem {
  /** `urn:hoop:error:<code>`. */
  readonly type: string;
  /** Stable, e.g. `policy_denied`, `context_required`, `identity_unmatched`. */
  readonly code: string;
  readonly title: string;
  readonly status: number;
  /** A full sentence: what was refused, and what would be allowed. */
  readonly detail?: string;
  /** Further members that depend on the code, e.g. `rule`, `allowedBy`. */
  readonly [member: string]: unknown;
}

/** The problem document of a response that Hoop made; one made up from the status where the body is not one. */
export async function readProblem(response: Response, fallbackCode: string): Promise<Problem> {
  const made = {
    type: `urn:hoop:error:${fallbackCode}`,
    code: fallbackCode,
    title: response.statusText || `Status ${response.status}`,
    status: response.status,
  };
  let parsed: unknown;
  try {
    parsed = await response.json();
  } catch {
    return made;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return made;
  const members = parsed as Record<string, unknown>;
  const text = (name: string): string | undefined => (typeof members[name] === 'string' ? members[name] : undefined);
  // RFC 6749 §5.2 calls them `error` and `error_description`.
  const code = text('code') ?? text('error') ?? fallbackCode;
  const detail = text('detail') ?? text('error_description');
  return {
    ...members,
    type: text('type') ?? `urn:hoop:error:${code}`,
    code,
    title: text('title') ?? made.title,
    status: response.status,
    ...(detail === undefined ? {} : { detail }),
  };
}
