/** What this build of the site is made of; paths are relative to its root. */
export const build = {{ build | json }}
