import { beforeEach, expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { z } from 'zod'
import { show, unlock, useConsole } from './console-world.ts'

const wallet = 'GiT17sgqU75hbRdnuPKMHWudgeqXo93vd95xkDn5qJtX'

const world = await useConsole()
let page: Page
beforeEach(async () => {
  page = await world.open()
  await unlock(page, await world.token('operator'))
})

const entries = z.object({ entries: z.array(z.object({ record: z.string() })) })

/** The record that an act leaves, by whom: in the log, a moment after the answer. */
async function expectRecord(type: string, target: string, by = 'operator'): Promise<void> {
  const path = `/internal/audit/entries?limit=1000&type=${type}`
  for (let tries = 0; tries < 100; tries++) {
    const answer = await world.call('GET', path)
    // A record that is late on a busy machine is a 503, and asked for again.
    const listed = answer.ok ? entries.parse(await answer.json()).entries : []
    const isThere = ({ record }: { readonly record: string }) =>
      record.includes(`"target":"${target}"`) && record.includes(by)
    if (listed.some(isThere)) return
    await Bun.sleep(200)
  }
  throw new Error(`no ${type} of ${target} by ${by}`)
}

const dialog = () => page.getByRole('dialog')
const told = (text: string | RegExp) => page.getByRole('status').getByText(text).waitFor()
const press = (name: string) => page.getByRole('button', { name, exact: true }).click()

async function confirm(name: string, reason?: string): Promise<void> {
  if (reason !== undefined) await dialog().getByLabel('Reason').fill(reason)
  await dialog().getByRole('button', { name, exact: true }).click()
  await dialog().waitFor({ state: 'detached' })
}

const jobs = z.object({ jobs: z.array(z.object({ id: z.string() })) })
async function jobIn(state: string, kind = 'score-wallet'): Promise<string> {
  const listed = await world.call('GET', `/v1/jobs?state=${state}&kind=${kind}&limit=1`)
  return jobs.parse(await listed.json()).jobs[0]?.id ?? 'none'
}

test('a queue is paused, drained and resumed', async () => {
  await show(page, 'queues', 'Queues')
  await press('Pause score-wallet')
  await confirm('Pause')
  await told('score-wallet is paused.')
  const payload = { payload: { wallet } }
  for (let job = 0; job < 3; job++) await world.call('POST', '/v1/jobs/score-wallet', payload)
  const drain = page.getByRole('button', { name: 'Drain score-wallet' })
  await page.locator('button[aria-label="Drain score-wallet"]:enabled').waitFor()
  await drain.click()
  await dialog().getByText('3 wait now').waitFor()
  await confirm('Cancel them all')
  await told('3 jobs of score-wallet were cancelled.')
  await press('Resume score-wallet')
  await told('score-wallet goes on.')
  await expectRecord('queue.paused', 'queue/score-wallet')
  await expectRecord('queue.drained', 'queue/score-wallet')
  await expectRecord('queue.resumed', 'queue/score-wallet')
})

test('a job that waits is cancelled, and accepted again by its retry', async () => {
  await world.call('POST', '/internal/queues/score-wallet/pause')
  await world.call('POST', '/v1/jobs/score-wallet', { payload: { wallet } })
  const id = await jobIn('accepted')
  await show(page, `jobs/${id}`, id)
  await press('Cancel')
  await confirm('Cancel the job')
  await told(/^Cancelled; its run was not running\.$/)
  await page.getByText('cancelled', { exact: true }).first().waitFor()
  await press('Retry')
  await told('Accepted again, under the same id.')
  await expectRecord('job.cancelled', `job/${id}`)
  await expectRecord('job.retried', `job/${id}`)
  await world.call('POST', '/internal/queues/score-wallet/resume')
})

test('a failed job is replayed by itself, and the others of its queue together', async () => {
  const id = await jobIn('failed')
  await show(page, `jobs/${id}`, id)
  await press('Replay')
  await told('Accepted again, under the same id.')
  await expectRecord('job.retried', `job/${id}`)
  await show(page, 'queues', 'Queues')
  await press('Replay score-wallet')
  await confirm('Replay')
  await told(/jobs of score-wallet were accepted again\.$/)
})

test('trading is halted with a reason, and goes on once two persons have agreed', async () => {
  await show(page, 'orders', 'Orders')
  await press('Halt …')
  await dialog().getByLabel('What').selectOption('symbol')
  await dialog().getByLabel('Which one').fill('SPX')
  await confirm('Halt', 'prices look wrong')
  await told(/^HALTED: /)
  await page.getByRole('cell', { name: 'prices look wrong' }).waitFor()
  await expectRecord('trading.state_changed', 'symbol/SPX')
  await press('Re-arm symbol SPX')
  await confirm('Re-arm', 'feed is back')
  await told('symbol SPX: waits for a second person.')
  await page.getByText(/operator agrees; one more/).waitFor()
  await press('Re-arm symbol SPX')
  await dialog().getByLabel('Reason').fill('again')
  await dialog().getByRole('button', { name: 'Re-arm' }).click()
  await dialog().getByText('trading.second_principal_needed').waitFor()
  await page.keyboard.press('Escape')
  await press('Lock')
  await unlock(page, await world.token('colleague'))
  await press('Re-arm symbol SPX')
  await confirm('Re-arm', 'I see it too')
  await told('symbol SPX: active again.')
  await page.getByText('All trading is active.').waitFor()
  await expectRecord('trading.rearm_requested', 'symbol/SPX')
  await expectRecord('trading.state_changed', 'symbol/SPX', 'colleague')
})

test('a halt without a reason is not sent', async () => {
  await show(page, 'orders', 'Orders')
  await press('Halt …')
  let sent = 0
  page.on('request', (request) => {
    if (request.method() === 'POST') sent++
  })
  await dialog().getByRole('button', { name: 'Halt', exact: true }).click()
  expect(await dialog().locator('#field-reason:invalid').count()).toBe(1)
  await dialog().getByRole('button', { name: 'Cancel' }).click()
  await dialog().waitFor({ state: 'detached' })
  expect(sent).toBe(0)
})

test('a secret that is due is rotated now', async () => {
  await show(page, 'secrets', 'Secrets')
  const row = page.getByRole('row', { name: /postern\/redis/ })
  await row.getByText('due', { exact: true }).waitFor()
  await press('Rotate postern/redis now')
  await confirm('Rotate now')
  await told(/^A rotation of postern\/redis is open, at the step \w+\.$/)
  await page.locator('button[aria-label="Rotate postern/redis now"]:disabled').waitFor()
  expect(await page.locator('button[aria-label="Rotate postern/venue now"]').isDisabled()).toBe(
    true,
  )
  await expectRecord('secret.rotation_opened', 'secret/postern/redis')
})

test('a schedule is paused, resumed and run', async () => {
  await show(page, 'schedules/check-rotation', 'Schedules')
  await press('Pause check-rotation')
  await confirm('Pause')
  await told('check-rotation is paused.')
  await press('Resume check-rotation')
  await told('check-rotation fires again.')
  await press('Run check-rotation now')
  await told(/^check-rotation runs: its job is [0-9a-f-]{36}\.$/)
  await page
    .getByRole('group', { name: 'Runs of check-rotation' })
    .getByText('now')
    .first()
    .waitFor()
  for (const act of ['paused', 'resumed', 'fired']) {
    await expectRecord(`schedule.${act}`, 'schedule/check-rotation')
  }
})

test('the log is verified now, and its records are read when they are asked for', async () => {
  await show(page, 'audit', 'Audit')
  await press('Verify now')
  await page.getByText(/^Verified: [\d,]+ entries, nothing wrong$/).waitFor({ timeout: 60_000 })
  await page.getByRole('searchbox', { name: 'Type' }).fill('schedule.fired')
  await page.getByLabel('From index').fill('0')
  await press('Read')
  await page.getByRole('cell', { name: 'schedule/verify-audit' }).first().waitFor()
  await expectRecord('schedule.fired', 'schedule/verify-audit')
  await expectRecord('audit.read', 'audit/entries')
})

test('drift is looked for now', async () => {
  await show(page, 'drift', 'Drift')
  await page.getByText('opened to 0.0.0.0/0 outside Terraform').waitFor()
  await press('Check now')
  await told('A worker compares what is with what is configured.')
  await expectRecord('schedule.fired', 'schedule/check-drift')
})

test('an act that is refused says why in its dialog, and which request it was', async () => {
  await press('Lock')
  await unlock(page, await world.token('reader', ['queues:read']))
  await show(page, 'queues', 'Queues')
  await press('Pause score-cohort')
  await dialog().getByRole('button', { name: 'Pause' }).click()
  await dialog().getByText('This needs a token with the scope queues:admin.').waitFor()
  expect(await dialog().locator('.problem').textContent()).toMatch(
    /403 access\.scope_missing · request [0-9a-f-]{36}/,
  )
})

test('a dialog stays while its act is under way, and tells what came of it', async () => {
  await press('Lock')
  await unlock(page, await world.token('reader', ['queues:read']))
  await show(page, 'queues', 'Queues')
  const released = Promise.withResolvers<void>()
  await page.route('**/score-cohort/pause', async (route) => {
    await released.promise
    await route.continue()
  })
  await press('Pause score-cohort')
  const asked = page.waitForRequest('**/score-cohort/pause')
  await dialog().getByRole('button', { name: 'Pause' }).click()
  await asked
  await dialog().locator('button:disabled', { hasText: 'Cancel' }).waitFor()
  for (let times = 0; times < 3; times++) await page.keyboard.press('Escape')
  released.resolve()
  await dialog().getByText('This needs a token with the scope queues:admin.').waitFor()
  await page.keyboard.press('Escape')
  await dialog().waitFor({ state: 'detached' })
})
