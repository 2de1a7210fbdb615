import { expect, test } from 'bun:test'
import { expectations, faultCalendar } from '#core/incident/fault-calendar.ts'
import { incidentClasses } from '#core/incident/incident.ts'

const measured = { incidents: 2, open: 0, recovered: 2, mttr_seconds: 30, worst_seconds: 40 }

test('what a quarter is expected to cost is its assumed faults times what was measured', () => {
  const [database] = expectations([{ class: 'database', ...measured }])
  expect(database).toEqual({ class: 'database', ...faultCalendar.database, minutes: 1.5 })
})

test('where nothing was measured nothing is said', () => {
  const nothing = { ...measured, recovered: 0, mttr_seconds: null, worst_seconds: null }
  expect(expectations([{ class: 'venue', ...nothing }])[0]?.minutes).toBeUndefined()
})

test('the calendar assumes something of each class, and says why', () => {
  for (const of of incidentClasses) {
    expect(faultCalendar[of].faults).toBeGreaterThan(0)
    expect(faultCalendar[of].because.length).toBeGreaterThan(10)
  }
})
