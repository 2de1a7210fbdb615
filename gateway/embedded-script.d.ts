declare module '@scalar/fastify-api-reference' {
  const path: string
  export default path
}
