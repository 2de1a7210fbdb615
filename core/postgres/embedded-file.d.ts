declare module '@electric-sql/pglite/*.wasm' {
  const path: string
  export default path
}

declare module '@electric-sql/pglite/*.data' {
  const path: string
  export default path
}
