/** A door. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 16 16" aria-hidden="true">
      <path d="M4 14V7a4 4 0 0 1 8 0v7z" />
      <circle cx="9.6" cy="9.8" r="0.9" />
    </svg>
  )
}
