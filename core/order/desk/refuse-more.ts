import { PosternError } from '../../errors.ts'

/** `what` names the things and how to ask for fewer of them. */
export function refuseMore(count: number, maximum: number, what: string): void {
  if (count <= maximum) return
  throw new PosternError('request.query_invalid', { detail: `More than ${maximum} ${what}.` })
}
