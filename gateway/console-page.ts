/** A door; as the page's own mark. */
const icon = [
  "%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E",
  "%3Crect width='16' height='16' rx='3.5' fill='%23233047'/%3E",
  "%3Cpath d='M4.5 13V7a3.5 3.5 0 0 1 7 0v6z' fill='none' stroke='%23a9c4f5' stroke-width='1.5'/%3E",
  "%3Ccircle cx='9.4' cy='9.6' r='.9' fill='%23a9c4f5'/%3E%3C/svg%3E",
].join('')

/** The whole page: everything else is made by its script, from what the API answers. */
export function consolePage(paths: { readonly script: string; readonly style: string }): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>Postern console</title>
<link rel="icon" href="data:image/svg+xml,${icon}">
<link rel="stylesheet" href="${paths.style}">
<script type="module" src="${paths.script}"></script>
</head>
<body>
<div id="console"></div>
<noscript>The console needs JavaScript. All that it shows is at /internal/ and /v1/, for curl too.</noscript>
</body>
</html>
`
}
