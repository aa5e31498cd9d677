import { z } from 'zod';

import type { Form } from './forms.ts';

export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Everything about a variable that the reference table shows. */
export interface VariableNotes {
  readonly form: string;
  readonly meaning: string;
  readonly isRequired: boolean;
  readonly isSecret: boolean;
  /** As one would write the variable, or in words where the default depends on something else. */
  readonly default?: string;
}

const notes = z.registry<VariableNotes>();

function note<S extends z.ZodType>(schema: S, form: Form<unknown>, rest: Omit<VariableNotes, 'form' | 'isSecret'>): S {
  notes.add(schema, { form: form.name, isSecret: form.isSecret === true, ...rest });
  return schema;
}

/** @param missing continues the variable's name in the error of a start without it */
export function required<T>(form: Form<T>, meaning: string, missing = 'is not set.'): z.ZodType<T> {
  return note(z.string(missing).pipe(form.schema), form, { meaning, isRequired: true });
}

/** @param otherwise the default in words, where there is one */
export function optional<T>(form: Form<T>, meaning: string, otherwise?: string): z.ZodOptional<z.ZodType<T, string>> {
  return note(z.optional(form.schema), form, { meaning, isRequired: false, ...(otherwise === undefined ? {} : { default: otherwise }) });
}

/** @param fallback read as if it were set, so that a default is held to the form */
export function withDefault<T>(form: Form<T>, fallback: string, meaning: string): z.ZodType<T> {
  return note(z.prefault(form.schema, fallback), form, { meaning, isRequired: false, default: fallback });
}

export type Variables = z.ZodObject<Record<string, z.ZodType>>;

/**
 * The values of a schema's variables. An empty variable counts as one that is not set; other variables are not looked at.
 *
 * @throws ConfigurationError with a sentence that names the first wrong variable
 */
export function readVariables<S extends Variables>(variables: S, env: Environment): z.output<S> {
  const given = Object.fromEntries(Object.keys(variables.shape).map((name) => [name, env[name] || undefined]));
  const read = variables.safeParse(given);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new ConfigurationError(`${String(issue?.path[0])} ${issue?.message}`);
}

/** Names of HOOP_* variables that are set and mean nothing to a process with these variables, in order. */
export function unknownVariables(variables: Variables, env: Environment): string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith('HOOP_') && !Object.hasOwn(variables.shape, name))
    .toSorted();
}

/** The sentence of a start with such variables. */
export function unknownVariablesSentence(names: readonly string[], app: string): string {
  return `The ${app} has no variable ${names.join(', ')}: it starts as if ${names.length === 1 ? 'it were' : 'they were'} not set. Look for a typing error.`;
}

/** The notes of each variable, in the order of the schema. */
export function notesOf(variables: Variables): [name: string, notes: VariableNotes][] {
  return Object.entries(variables.shape).map(([name, schema]) => {
    const found = notes.get(schema);
    if (found === undefined) throw new Error(`${name} was not made by required, optional or withDefault.`);
    return [name, found];
  });
}

type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** The same object without the members that are undefined. */
export function present<T extends object>(members: T): Present<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Present<T>;
}
