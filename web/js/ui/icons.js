/** Line icons on a 20 by 20 grid, in the colour of the text beside them. */

const PATHS = {
  lock: 'M5.5 9h9a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1h-9a1 1 0 0 1-1-1v-6a1 1 0 0 1 1-1zM7 9V6a3 3 0 0 1 6 0v3',
  check: 'M4.5 10.5l3.5 3.5 7.5-8',
  offline: 'M10 17.5a7.5 7.5 0 1 1 0-15 7.5 7.5 0 0 1 0 15zM6.5 10.2l2.5 2.5 4.5-5',
  alert: 'M10 5v6.5M10 14.5v.5',
  clock: 'M10 5.5V10l3 2',
  plus: 'M10 4v12M4 10h12',
  minus: 'M4 10h12',
  compare: 'M8 6.5L4.5 10 8 13.5M12 6.5l3.5 3.5-3.5 3.5',
  camera: 'M3 6.5h3.5L8 4.5h4l1.5 2H17v9H3zM10 13.5a2.75 2.75 0 1 0 0-5.5 2.75 2.75 0 0 0 0 5.5z',
  settings: 'M3 6h8M15 6h2M13 4.2v3.6M3 14h2M9 14h8M7 12.2v3.6',
  stop: 'M6 6h8v8H6z',
  close: 'M5 5l10 10M15 5L5 15',
  system: 'M3.5 4h13v9h-13zM7.5 16.5h5M10 13v3.5',
  light:
    'M10 13.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM10 1.5v2M10 16.5v2M1.5 10h2M16.5 10h2M4 4l1.4 1.4M14.6 14.6L16 16M4 16l1.4-1.4M14.6 5.4L16 4',
  dark: 'M16.5 11.8A7 7 0 0 1 8.2 3.5a7 7 0 1 0 8.3 8.3z',
  picture: 'M3.5 4.5h13v11h-13zM3.5 13l4-4 4 4 2-2 3 3',
}

/** @typedef {keyof typeof PATHS} IconName */

const SVG = 'http://www.w3.org/2000/svg'

/**
 * @param {IconName} name
 * @returns {SVGSVGElement} hidden from assistive technology; the label is its owner's
 */
export function createIcon(name) {
  const svg = document.createElementNS(SVG, 'svg')
  svg.setAttribute('viewBox', '0 0 20 20')
  svg.setAttribute('class', 'icon')
  svg.setAttribute('aria-hidden', 'true')
  const path = document.createElementNS(SVG, 'path')
  path.setAttribute('d', PATHS[name])
  svg.append(path)
  return svg
}
