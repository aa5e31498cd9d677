/** Runs in a worker thread. Refusals are copied as their parts: classes do not survive the way between threads. */
import type { MessagePort } from 'node:worker_threads';

import { AppError, type ErrorCode } from '@hoop/contract';

import { tasks, type TaskInput, type TaskName } from './tasks.ts';

export type Answer =
  | { readonly value: unknown }
  | { readonly refusal: { readonly code: ErrorCode; readonly detail: string; readonly extras: Readonly<Record<string, unknown>> } };

interface Asked {
  readonly name: TaskName;
  readonly input: TaskInput<TaskName>;
  /** Told once, when the task begins: its deadline counts from there. */
  readonly begun: MessagePort;
}

export default function run({ name, input, begun }: Asked): Answer {
  begun.postMessage(null);
  try {
    return { value: (tasks[name] as (given: unknown) => unknown)(input) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { refusal: { code: error.code, detail: error.detail, extras: error.extras } };
  }
}
