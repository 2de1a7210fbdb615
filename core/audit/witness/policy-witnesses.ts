import type { WitnessPolicy } from '../note/policy.ts'
import { type ConsistencyProof, httpWitness } from './http-witness.ts'
import type { Witness } from './witness.ts'

/** The witnesses of a policy that can be asked: those with a URL. */
export function policyWitnesses(
  policy: Pick<WitnessPolicy, 'witnesses'>,
  consistencyProof: ConsistencyProof,
): readonly Witness[] {
  return policy.witnesses.flatMap(({ name, key, url }) =>
    url === undefined ? [] : [httpWitness({ name, key, url, consistencyProof })],
  )
}
