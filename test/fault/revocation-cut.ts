import type { Desk } from './revocation-acts.ts'
export async function cutOff(_desk: Desk, _job: string): Promise<void> {}
