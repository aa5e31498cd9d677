/** Node's options for programs that this one starts: where Hoop runs from its sources, they find those too. */
import process from 'node:process';

const condition = '--conditions=@hoop/source';

export const sourceConditions: readonly string[] = process.execArgv.includes(condition)
  ? [condition, '--disable-warning=ExperimentalWarning']
  : [];
