import { expect, test } from 'bun:test'
import { paperDice } from '#core/order/venue/paper-faults.ts'
import { paperSettingsSchema, paperTermsOf } from '#core/order/venue/paper-settings.ts'

test.each([
  ['an unknown setting', { slippage: 1 }],
  ['a mode that there is not', { mode: 'wild' }],
  ['more than the whole volume', { participation_bp: 10_001 }],
  ['a part of a basis point', { fee_bp: 0.5 }],
  ['a latency before the order', { latency_ms: -1 }],
  ['a latency past a minute', { latency_ms: 60_001 }],
  ['data older than a week', { data_age_max_ms: 604_800_001 }],
  ['a negative fee', { fee_per_share: '-0.01' }],
  ['a chance above 1', { lose_ack: 1.01 }],
  ['a chance below 0', { lose_submit: -0.1 }],
])('%s is refused', (_, settings) => {
  expect(paperSettingsSchema.safeParse(settings).success).toBe(false)
})

test('what is left out has the venue’s default, what is set counts', () => {
  expect(paperTermsOf({})).toEqual({
    options: {
      mode: 'alpaca',
      participationBasisPoints: 250,
      latencyMs: 0,
      dataAgeMaxMs: 5_000,
      feePerShare: 0n,
      feeBasisPoints: 0,
    },
    loseAck: 0,
    loseSubmit: 0,
  })
  const set = { mode: 'strict', participation_bp: 10_000, fee_per_share: '0.005', lose_ack: 1 }
  const { options, loseAck } = paperTermsOf({ ...set, latency_ms: 60_000 })
  expect(options).toMatchObject({ mode: 'strict', participationBasisPoints: 10_000 })
  expect(options).toMatchObject({ feePerShare: 5_000_000n, latencyMs: 60_000 })
  expect(loseAck).toBe(1)
})

test('a loss that is certain happens, one that is impossible does not, and draws nothing', () => {
  const dice = paperDice({ seed: 7, loseAck: 0.5 })
  const other = paperDice({ seed: 7, loseAck: 0.5 })
  expect([dice.happens(1), dice.happens(0)]).toEqual([true, false])
  other.losesAck()
  const rest = Array.from({ length: 20 }, () => dice.losesAck())
  expect(rest).toEqual(Array.from({ length: 20 }, () => other.losesAck()))
})
