import { afterAll, afterEach } from 'bun:test'
import type { FaultServer } from '../doubles/fault-server.ts'
import { gcpDouble } from '../doubles/gcp-double.ts'
import { gcpSubject, interposed } from '../doubles/gcp-subject.ts'
import { rotation } from './store-contract.ts'

/** A double of Secret Manager and two clients of it, for the `describe` it is called in: rules are cleared and what stands between is stopped after each test. */
export function gcpWorld() {
  const double = gcpDouble()
  const { store, other, byHand } = gcpSubject(double)
  let between: FaultServer | undefined
  afterEach(async () => {
    double.clear()
    await between?.stop()
    between = undefined
  })
  afterAll(() => double.stop())
  return {
    double,
    store,
    other,
    byHand,
    stage: (name: string, url: string, id = rotation()) =>
      store.stage(name, { members: { url }, rotation: id }),
    /** A client ahead of whose first call of this kind `act` is run. */
    storeMetBy(next: Parameters<typeof interposed>[1]) {
      between = interposed(double, next)
      return gcpSubject(double, between.url).store
    },
  }
}
