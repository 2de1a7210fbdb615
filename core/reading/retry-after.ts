/** Seconds; of `Retry-After` the form in seconds alone (RFC 9110, 10.2.3): nobody here sends a date. */
export function retryAfterOf(headers: Headers): number | undefined {
  const text = headers.get('retry-after') ?? ''
  return /^\d{1,6}$/.test(text) ? Number.parseInt(text, 10) : undefined
}
