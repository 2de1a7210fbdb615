import { InvalidArgumentError } from 'commander'
import { scheduleNameSchema } from '#core/schedule/schedule.ts'

export function scheduleNameArgument(text: string): string {
  if (scheduleNameSchema.safeParse(text).success) return text
  throw new InvalidArgumentError('lower-case words and dashes, at most 63 characters')
}
