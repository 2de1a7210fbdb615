/** Text of others for a terminal: control characters could move the cursor or hide lines. */
export function printable(text: string): string {
  return text.replace(/\p{C}/gu, '\u{fffd}')
}
