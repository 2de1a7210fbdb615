// Places an order and follows it until its venue has decided: place-order.ts <symbol> <quantity>
import { createPosternClient } from 'postern/client'

const { POSTERN_URL = 'http://127.0.0.1:8080', POSTERN_TOKEN = '' } = process.env
const [symbol = 'AAPL', quantity = '1'] = process.argv.slice(2)
// A function is asked again when a token is refused: here it would fetch one from the issuer.
const token = async () => POSTERN_TOKEN
const postern = createPosternClient({ baseUrl: POSTERN_URL, token })

const undecided = ['received', 'accepted', 'pending_new']
const leave = AbortSignal.timeout(60_000)

let order = await postern.call('place-order', {
  body: { symbol, side: 'buy', quantity, order_type: 'market' },
  signal: leave,
})
while (undecided.includes(order.status)) {
  order = await postern.call('get-order', {
    params: { id: order.id },
    query: { wait: 30 },
    signal: leave,
  })
}
console.log(`${order.side} ${order.quantity} ${order.symbol}: ${order.status}`)
for (const reason of order.reject_details) console.log(`  ${reason}`)
const { events } = await postern.call('list-order-events', { params: { id: order.id } })
for (const { seq, type } of events) console.log(`  ${seq} ${type}`)
