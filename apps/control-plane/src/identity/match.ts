import { AppError } from '@hoop/contract';
import { compileClaimsMatch } from '@hoop/policy';

/** @throws AppError `policy_invalid` where it does not type-check as a condition over `claims`, `issuer`, `subject` */
export function checkMatch(expression: string): void {
  compileClaimsMatch(expression);
}

type Match = ReturnType<typeof compileClaimsMatch>;

/** Compiled conditions by their text: they are pure, so one for all identities and revisions. */
export function createMatchCache(max = 10_000): (expression: string) => Match {
  const cache = new Map<string, Match>();
  return (expression) => {
    const known = cache.get(expression);
    if (known !== undefined) return known;
    let match: Match;
    try {
      match = compileClaimsMatch(expression);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      // It was checked when it was saved; one that no longer compiles matches nobody.
      match = () => false;
    }
    if (cache.size >= max) cache.delete(cache.keys().next().value!);
    cache.set(expression, match);
    return match;
  };
}
