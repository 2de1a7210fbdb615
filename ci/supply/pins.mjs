// The images that a Dockerfile starts from. Unpinned is *unknown*: what a tag names nobody can tell.
const argument = /^ARG (?<argument>BUILD|BASE)=(?<name>[^\s@]+)(?:@(?<digest>\S*))?$/gm
const digestForm = /^sha256:[0-9a-f]{64}$/

export function readPins(dockerfile) {
  return [...dockerfile.matchAll(argument)].map(({ groups }) => ({
    ...groups,
    digest: digestForm.test(groups.digest ?? '') ? groups.digest : undefined,
  }))
}

export function writePin(dockerfile, { argument: wanted, name, digest }) {
  return dockerfile.replace(argument, (line, found) =>
    found === wanted ? `ARG ${wanted}=${name}@${digest}` : line,
  )
}
