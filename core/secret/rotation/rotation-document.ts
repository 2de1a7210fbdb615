import { z } from 'zod'
import { type Rotation, rotationSteps } from './rotation.ts'

/** A rotation as it is answered; never a value. Snake case. */
export const rotationDocumentSchema = z.object({
  id: z.uuid(),
  name: z.string(),
  step: z.enum([...rotationSteps, 'done', 'undone']).meta({ description: 'What is next' }),
  base_version: z.string(),
  pending_version: z.string().nullable(),
  is_urgent: z.boolean().meta({ description: 'The base version is revoked: it waits for nobody' }),
  attempts: z.int().meta({ description: 'How often the step has failed' }),
  error: z.string().nullable(),
  opened_by: z.string(),
  opened_at: z.string(),
  promoted_at: z.string().nullable(),
})
rotationDocumentSchema.register(z.globalRegistry, { title: 'Rotation' })
export type RotationDocument = z.infer<typeof rotationDocumentSchema>

export function rotationDocument(rotation: Rotation): RotationDocument {
  const { id, name, step, base, pending, isUrgent, attempts, error } = rotation
  return {
    ...{ id, name, step, attempts, base_version: base, pending_version: pending ?? null },
    ...{ is_urgent: isUrgent, error: error ?? null, opened_by: rotation.openedBy },
    opened_at: rotation.openedAt.toISOString(),
    promoted_at: rotation.promotedAt?.toISOString() ?? null,
  }
}
