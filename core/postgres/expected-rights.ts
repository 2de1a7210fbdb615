/**
 * What migrations have granted, by table, with columns where a right is of columns only: `s`elect,
 * `i`nsert, `u`pdate, `d`elete, usa`g`e. A migration that grants changes this file with it, or the
 * test that reads a fresh database fails.
 */
const rights: Readonly<Record<string, string>> = {
  postern_account: 'gateway=isu worker=isu',
  postern_account_trader: 'gateway=dis worker=s',
  postern_alive: 'gateway=su worker=su',
  postern_audit_aside: 'sequencer=i',
  postern_audit_checkpoint: 'gateway=s sequencer=is',
  'postern_audit_checkpoint(published_at)': 'sequencer=u',
  'postern_audit_checkpoint(witnessed_at)': 'sequencer=u',
  'postern_audit_checkpoint(witnessed_note)': 'sequencer=u',
  postern_audit_entry: 'gateway=s sequencer=is',
  postern_audit_head: 'gateway=s sequencer=su',
  postern_audit_intake: 'gateway=i rotator=i sequencer=dis worker=i',
  postern_bar: 'gateway=isu worker=s',
  postern_cohort: 'gateway=s worker=isu',
  postern_deployment: 'gateway=s rotator=s sequencer=s worker=s',
  postern_drift_finding: 'gateway=s worker=isu',
  postern_drift_run: 'gateway=s worker=dis',
  postern_drift_source: 'gateway=s worker=su',
  postern_fill: 'gateway=s worker=isu',
  postern_idempotency: 'gateway=dis worker=ds',
  postern_incident: 'gateway=disu worker=disu',
  postern_instrument: 'gateway=isu worker=isu',
  postern_job: 'gateway=disu worker=disu',
  postern_lease: 'gateway=isu worker=isu',
  postern_limit: 'gateway=disu worker=s',
  postern_limit_change: 'gateway=is',
  postern_market: 'gateway=su worker=su',
  postern_market_staging: 'gateway=dis',
  postern_migration: 'gateway=s rotator=s sequencer=s worker=s',
  postern_order: 'gateway=isu worker=isu',
  postern_order_event: 'gateway=is worker=is',
  postern_order_quarantine: 'gateway=is worker=is',
  'postern_order_quarantine(resolved_at)': 'worker=u',
  postern_outbox: 'gateway=disu worker=disu',
  postern_paper_order: 'worker=is',
  'postern_paper_order(active_at_ms)': 'worker=u',
  'postern_paper_order(cum)': 'worker=u',
  'postern_paper_order(is_triggered)': 'worker=u',
  'postern_paper_order(replaced_by)': 'worker=u',
  'postern_paper_order(status)': 'worker=u',
  'postern_paper_order(trades)': 'worker=u',
  'postern_paper_order(version)': 'worker=u',
  postern_paper_position: 'worker=isu',
  postern_paper_report: 'worker=is',
  postern_position: 'gateway=isu worker=isu',
  postern_position_day: 'gateway=s worker=isu',
  postern_process: 'gateway=disu rotator=disu sequencer=disu worker=disu',
  postern_queue: 'gateway=isu worker=s',
  postern_replica: 'gateway=isu rotator=isu sequencer=isu worker=isu',
  postern_revocation: 'gateway=isu rotator=isu',
  postern_revocation_ack: 'gateway=disu',
  postern_revocation_feed: 'gateway=su rotator=su',
  postern_schedule: 'gateway=disu worker=isu',
  postern_schedule_run: 'gateway=is worker=dis',
  postern_score: 'gateway=s worker=isu',
  postern_secret: 'gateway=is rotator=isu sequencer=is worker=is',
  postern_secret_ack: 'gateway=disu rotator=disu sequencer=disu worker=disu',
  postern_secret_rotation: 'gateway=isu rotator=isu worker=is',
  postern_secret_use: 'gateway=isu rotator=isu sequencer=isu worker=isu',
  postern_signal: 'gateway=s worker=isu',
  postern_trade: 'gateway=is worker=s',
  postern_trade_staging: 'gateway=dis',
  postern_trading_state: 'gateway=disu worker=isu',
  'schema public': 'PUBLIC=g gateway=g rotator=g sequencer=g worker=g',
}

const privileges: Readonly<Record<string, string>> = {
  ...{ s: 'SELECT', i: 'INSERT', u: 'UPDATE', d: 'DELETE', g: 'USAGE' },
}

/** Lines such as `readRights` reads them. */
export const expectedRights: readonly string[] = Object.entries(rights)
  .flatMap(([what, cells]) =>
    cells.split(' ').map((cell) => {
      const [who = '', letters = ''] = cell.split('=')
      const role = who === 'PUBLIC' ? who : `postern_${who}`
      const acts = [...letters].map((letter) => privileges[letter]).sort()
      return `${role} ${what}: ${acts.join(', ')}`
    }),
  )
  .sort()
