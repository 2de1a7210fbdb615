import { z } from 'zod'

/** Of a deployment: dev, staging, prod. */
export const environmentName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/, 'lower-case letters, digits and dashes')
