/** The command line, as Commander reads it and as Hoop answers: results on `out`, one sentence where something is wrong, and no exit. */
import { Command, type CommanderError } from 'commander';

import type { StartIo } from './start/start.ts';
import { StartError } from './start-error.ts';

/** State that the actions of all commands share. */
export interface CommandContext {
  readonly io: StartIo;
  /** Of the command that ran. */
  exitCode: number;
}

/** The program without its commands. Its help goes to `out`, and no error is printed: each is thrown. */
export function createProgram(out: (text: string) => void): Command {
  return new Command('hoop')
    .usage('COMMAND')
    .helpCommand(false)
    .helpOption('-h, --help', 'print what the command does and takes')
    .showSuggestionAfterError(false)
    .enablePositionalOptions()
    .configureHelp({ showGlobalOptions: false })
    .configureOutput({
      writeOut: (text) => out(text.trimEnd()),
      outputError: () => undefined,
      getOutHelpWidth: () => 120,
      getOutHasColors: () => false,
    })
    .exitOverride();
}

/** The names from the program's on, e.g. `hoop sessions list`. */
function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}

/** Where the help of a command is, e.g. `hoop help sessions list`. */
const helpOf = (command: Command): string => fullName(command).replace(/^hoop/, 'hoop help');

/** One sentence for an error of Commander's, and where the help is. */
function sentenceOf(error: CommanderError, command: Command, misuse: string | undefined): string {
  const [, quoted = ''] = /'([^']*)'/.exec(error.message) ?? [];
  const isVerb = command.parent?.parent != null;
  switch (error.code) {
    case 'commander.unknownOption':
      return isVerb ? `${fullName(command)} has no ${quoted}.` : `Unknown option '${quoted}'.`;
    case 'commander.excessArguments':
      return misuse ?? `Unexpected argument '${command.args[command.registeredArguments.length]}'.`;
    case 'commander.missingArgument':
      return misuse ?? `${fullName(command)} needs ${quoted}.`;
    case 'commander.optionMissingArgument':
      return `${quoted.split(/[ ,]/, 1)[0]} needs a value.`;
    default:
      return `${error.message.replace(/^error: /, '').replace(/\.$/, '')}.`;
  }
}

/**
 * Makes every error of the command line one sentence. `misuse` is said where arguments are missing or too many; by default
 * the sentence names the argument. `refuse` ends the command with the sentence. Default: a StartError
 */
export function explainErrors(
  command: Command,
  misuse?: string,
  refuse: (sentence: string, error: CommanderError) => never = (sentence, cause) => {
    throw new StartError(sentence, { cause });
  },
): Command {
  return command.exitOverride((error) => {
    // Help that was asked for.
    if (error.exitCode === 0) throw error;
    refuse(`${sentenceOf(error, command, misuse)} See ${helpOf(command)}.`, error);
  });
}

/** A command of the program, by its name and summary. */
export function addCommand(program: Command, name: string, summary: string, misuse?: string): Command {
  return explainErrors(program.command(name).summary(`${summary} (see hoop help ${name})`), misuse);
}

/** A verb of a command, e.g. `list` of `sessions`. */
export function addVerb(command: Command, name: string, summary: string, misuse?: string): Command {
  const sentence = `${summary[0]!.toUpperCase()}${summary.slice(1)}.`;
  return explainErrors(command.command(name).summary(summary).description(sentence), misuse);
}

/** Says which verbs there are where the command is given none of them. */
export function needVerb(command: Command, sentence: string): void {
  command
    .usage('VERB')
    .allowUnknownOption()
    .allowExcessArguments()
    .addHelpText('after', `\nSee hoop help ${command.name()} VERB for what a verb takes.`)
    .action(() => {
      throw new StartError(`${sentence} See ${helpOf(command)}.`);
    });
}

/** The command that the names lead to from the program; undefined where one of them is unknown. */
export function findCommand(program: Command, names: readonly string[]): Command | undefined {
  return names.reduce<Command | undefined>((found, name) => found?.commands.find((one) => one.name() === name), program);
}
