import { AppError } from '@hoop/contract';
import type { z } from 'zod';

/** Parses untrusted input; refuses with the path of each fault, never with the value that was sent. */
export function validate<T>(schema: z.ZodType<T>, input: unknown, where: 'body' | 'query' | 'path'): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const errors = faultsOf(result.error.issues, []).slice(0, 50);
  const first = errors[0]!;
  const place = first.path === '' ? `The ${where}` : `\`${first.path}\` in the ${where}`;
  throw new AppError('invalid_request', `${place}: ${first.message}.`, { extras: { errors } });
}

export interface Fault {
  readonly path: string;
  readonly message: string;
}

function faultsOf(issues: readonly z.core.$ZodIssue[], prefix: readonly PropertyKey[]): Fault[] {
  return issues.flatMap((issue) => {
    const path = [...prefix, ...issue.path];
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ path: pathText([...path, key]), message: 'is not a known field' }));
    }
    if (issue.code === 'invalid_union' && issue.errors.length > 0) {
      // The branch that came furthest is the one that was meant.
      const branches = issue.errors.map((branch) => faultsOf(branch, path));
      return branches.reduce((best, branch) =>
        depth(branch) > depth(best) || (depth(branch) === depth(best) && branch.length < best.length) ? branch : best,
      );
    }
    return [{ path: pathText(path), message: issue.message.replace(/\.$/, '') }];
  });
}

const depth = (faults: readonly Fault[]): number => Math.max(0, ...faults.map((fault) => fault.path.split(/[.[]/).length));

const pathText = (path: readonly PropertyKey[]): string =>
  path
    .reduce<string>(
      (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? String(part) : `${text}.${String(part)}`),
      '',
    )
    .slice(0, 200);
