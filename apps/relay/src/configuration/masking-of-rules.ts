/**
 * The masking of a connection: its policy's, and with it that of every rule a call falls under. Each combination of
 * rules is compiled when a call first falls under it.
 */
import { AppError } from '@hoop/contract';
import type { MaskRule } from '@hoop/contract';
import { compileMasking } from '@hoop/masking';
import type { CompiledMasking } from '@hoop/masking';
import { compileIdentityCondition } from '@hoop/policy';
import type { CompiledRule } from '@hoop/policy';

/** Combinations that are kept; the one that was compiled first goes first. */
const maxCombinations = 128;

export class ConnectionMasking {
  /** Null where the policy has no masking rule. */
  readonly ofPolicy: CompiledMasking | null;
  readonly #policyRules: readonly MaskRule[];
  readonly #hashKey: Uint8Array;
  readonly #combined = new Map<string, CompiledMasking>();

  /** @throws AppError `policy_invalid` */
  constructor(policyRules: readonly MaskRule[], hashKey: Uint8Array) {
    this.#policyRules = policyRules;
    this.#hashKey = hashKey;
    this.ofPolicy = policyRules.length === 0 ? null : compileMasking(policyRules, { hashKey, compileCondition: compileIdentityCondition });
  }

  /**
   * Returns the masking of a call that falls under these rules, as the verdict names them.
   * @throws AppError `unavailable` where it cannot be compiled: then nothing is sent
   */
  of(rules: readonly CompiledRule[] | undefined): CompiledMasking | null {
    if (rules === undefined) return this.ofPolicy;
    const key = rules.map((rule) => rule.key).join();
    let masking = this.#combined.get(key);
    if (masking === undefined) {
      masking = this.#combine(rules);
      if (this.#combined.size >= maxCombinations) this.#combined.delete(this.#combined.keys().next().value!);
      this.#combined.set(key, masking);
    }
    return masking;
  }

  #combine(rules: readonly CompiledRule[]): CompiledMasking {
    try {
      return compileMasking([...this.#policyRules, ...rules.flatMap((rule) => rule.mask)], {
        hashKey: this.#hashKey,
        compileCondition: compileIdentityCondition,
      });
    } catch (cause) {
      const names = rules.map((rule) => `"${rule.name}"`).join(', ');
      throw new AppError(
        'unavailable',
        `The masking of the rules ${names} cannot be used by this relay; an operator has to save the policy again.`,
        { cause },
      );
    }
  }
}
