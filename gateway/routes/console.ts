import { z } from 'zod'
import { PosternError } from '#core/errors.ts'
import { consoleFiles, readConsoleBundle } from '../console-files.ts'
import { defineRoute, type Route } from '../route.ts'
import { answerFile, keptForGood, madeOnce } from '../served-file.ts'

const path = '/internal/console'

/**
 * Nothing but our own two files, no inline script or style, no frame around it, no form that goes
 * anywhere, and no text that becomes script (Trusted Types without a policy).
 */
const contentSecurityPolicy = [
  ...["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"],
  ...['img-src data:', "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
  ...["require-trusted-types-for 'script'", "trusted-types 'none'"],
].join('; ')

const pageHeaders = {
  'content-security-policy': contentSecurityPolicy,
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'cache-control': 'no-cache',
}
const assetHeaders = { 'cross-origin-resource-policy': 'same-origin', ...keptForGood }

/**
 * The operators' page. It holds no data and asks for no token: whatever it shows, it asks of the other
 * routes with the token that an operator gives it. The zone's allowlist guards it like them.
 */
export function consoleRoutes(): readonly Route[] {
  const files = madeOnce(async () => await consoleFiles(await readConsoleBundle(), path))
  const open = { method: 'GET', zone: 'internal', scope: undefined, hidden: true } as const
  return [
    defineRoute({
      ...open,
      path,
      operationId: 'read-console',
      summary: 'The page for operators',
      answers: {},
      refusals: [],
      handle: async (c) => answerFile(c, (await files()).page, pageHeaders),
    }),
    defineRoute({
      ...open,
      path: `${path}/:asset`,
      operationId: 'read-console-asset',
      summary: 'What the page for operators loads',
      params: z.strictObject({ asset: z.string() }),
      answers: {},
      refusals: ['route.not_found'],
      async handle(c, { params }) {
        const asset = (await files()).assets.get(params.asset)
        if (asset === undefined) throw new PosternError('route.not_found')
        return answerFile(c, asset, assetHeaders)
      },
    }),
  ]
}
