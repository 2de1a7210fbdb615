export type OrderKey = { readonly account: string; readonly clientOrderId: string }

/** An order's name as the key of a map. */
export function keyOf({ account, clientOrderId }: OrderKey): string {
  return JSON.stringify([account, clientOrderId])
}
