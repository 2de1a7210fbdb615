import packageJson from '../package.json' with { type: 'json' }

/** Put in by the build; from source there is none. */
declare const POSTERN_COMMIT: string | undefined

export const version: string =
  typeof POSTERN_COMMIT === 'undefined'
    ? packageJson.version
    : `${packageJson.version}+${POSTERN_COMMIT}`
