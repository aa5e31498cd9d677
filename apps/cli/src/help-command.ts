/** `hoop help`, and the sentence for a command that there is not. */
import type { Command } from 'commander';

import { addCommand, findCommand } from './command-line.ts';
import { StartError } from './start-error.ts';

const unknownCommand = (names: readonly string[]): StartError => new StartError(`There is no command "${names.join(' ')}". See hoop help.`);

/** Adds `hoop help`, and what the program does without a command. To be called last. */
export function addHelp(program: Command): void {
  addCommand(program, 'help', 'print this, or the help of a command')
    .argument('[command...]', 'the command, and its verb')
    .action((names: string[]) => {
      const found = findCommand(program, names);
      if (found === undefined) throw unknownCommand(names);
      found.outputHelp();
    });
  program
    .allowUnknownOption()
    .allowExcessArguments()
    .action(() => {
      const [name] = program.args;
      if (name !== undefined) throw unknownCommand([name]);
      program.outputHelp();
    });
}
