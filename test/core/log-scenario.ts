import { openLog } from '#core/log.ts'

// Prints lines that hold what must never be read in a log.
const log = openLog({ level: 'info', fields: { process: 'test' }, sync: true })
log.info('one', { token: 'hunter2', nested: { password: 'hunter2', authorization: 'hunter2' } })
log.child({ requestId: 'r' }).warn('two', { payload: { a: 'hunter2' }, body: 'hunter2' })
log.error('three', {
  error: Object.assign(new Error('outer', { cause: new Error('inner') }), {
    code: 'X',
    payload: 'hunter2',
    parameters: ['hunter2'],
  }),
})
log.error('four', { error: 'a thrown text' })
log.debug('five', {})
log.info('six', { jobId: 'a\nb"' })
log.flush()
