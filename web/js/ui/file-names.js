/**
 * @param {string} name
 * @returns {string} without its last extension; ".jpg" alone keeps its name
 */
export function fileStem(name) {
  const dot = name.lastIndexOf('.')
  return dot > 0 ? name.slice(0, dot) : name
}
