/** What `gossamer site` writes from `web/templates/build.js`. */

export type Backend = 'wasm' | 'webgl' | 'webgpu'
export type Precision = 'fp32' | 'int8' | 'fp16'

/** A network's file for one backend. */
export interface Artefact {
  backend: Backend
  precision: Precision
  /** Relative to the site's root. */
  path: string
  sha256: string
  bytes: number
  /**
   * What our own engine does with the file, where it can: the path of a plan (`pipeline/winograd.js`),
   * what it must answer to the picture of the self-test, a small one where it is made for one, too,
   * and whether a photo is looked at once more in that size (`pipeline/wider-look.js`).
   */
  plan: { path: string; golden: string; wider: boolean } | null
  /** What it must answer to the picture of the self-test: base64, see `pipeline/self-test.js`. */
  golden: string
}

export interface Model {
  name: string
  title: string
  licence: string
  /**
   * Of a network that knows some subjects better: the IoU with the matte of the site's first network
   * from which on its edges are the better ones.
   */
  agreement: number | null
  /** In the order in which they should be preferred. */
  artefacts: Artefact[]
  input: {
    name: string
    height: number
    width: number
    /** 'max' divides by the picture's own maximum, 'unit' by 255. */
    scale: 'max' | 'unit'
    mean: [number, number, number]
    std: [number, number, number]
  }
  output: { name: string; height: number; width: number; normalise: 'minmax' | 'none' }
}

export const build: {
  version: string
  ort: { version: string; path: string }
  /** Paths of our own engine, with memory of its own and with memory that threads share. */
  winograd: { single: string; threads: string }
  /** The path of what resizes photos. */
  lanczos: string
  /**
   * `packages`: the files of those that are loaded at the start, by name. `files`: the sha256 of all
   * that the start needs, by the file's name; `later`: of each package that is loaded when it is
   * needed.
   */
  pyodide: {
    version: string
    path: string
    packages: Record<string, string>
    files: Record<string, string>
    later: Record<string, Record<string, string>>
  }
  /** One file each. */
  zip: { version: string; path: string }
  heif: { version: string; path: string }
  /** The app's words: a file for each language, the first one for all others. */
  locales: Record<string, string>
  models: Model[]
  defaultModel: string
}
