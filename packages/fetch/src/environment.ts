interface WithEnvironment {
  readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> };
}

/**
 * An environment variable, or undefined where it is not set, where the runtime has no environment, or where it may not
 * be read (Deno without `--allow-env` throws). Read when it is needed, never at import.
 */
export function readEnvironment(name: string): string | undefined {
  try {
    return (globalThis as WithEnvironment).process?.env?.[name];
  } catch {
    return undefined;
  }
}
