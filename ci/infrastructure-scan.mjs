// `ci/infrastructure-scan`: second opinions on deploy/ and the Dockerfile, beside the rules of policy/.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkov } from './infrastructure/checkov.mjs'
import { kics, regal, trivyConfig } from './infrastructure/elsewhere.mjs'
import { conftest, kubeconform } from './infrastructure/manifests.mjs'
import { renderAll } from './infrastructure/render.mjs'
import { runStep } from './report.mjs'

const help = `usage: ci/infrastructure-scan

  kustomize    renders the overlays and the policies of deploy/kubernetes
  kubeconform  what it renders, by the schemas of Kubernetes 1.30 and 1.34
  conftest     the same and deploy/compose.yaml, by policy/
  checkov      the same, each root of deploy/terraform, the Dockerfile and the workflows; all that it
               finds fails, less what ci/checkov.yaml explains
  trivy, kics  deploy/, where they are installed
  regal        policy/, where it is installed

An overlay whose digest nobody has looked up yet is judged with zeroes in its place, and as it is has to
be refused for its images and for nothing else. What kubeconform has no schema of, and which overlays
were judged so, stands in the JSON line. Exit codes: 0, 1 findings, 2 not judged, 64 wrong use.
`

await runStep('infrastructure-scan', help, async ({ check, note }) => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-infrastructure-'))
  try {
    let rendered = []
    const isRendered = await check('kustomize', async () => {
      const { findings, ...all } = await renderAll()
      rendered = all.rendered
      const counts = rendered.map(({ name, documents }) => [name, documents.length])
      note('rendered', Object.fromEntries(counts))
      return findings
    })
    if (isRendered) {
      await check('kubeconform', () => kubeconform(rendered, join(folder, 'kubeconform'), note))
      await check('conftest', () => conftest(rendered, join(folder, 'conftest'), note))
      await check('checkov', () => checkov(rendered, folder, note))
    }
    await check('trivy', trivyConfig)
    await check('kics', () => kics(folder))
    await check('regal', regal)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
