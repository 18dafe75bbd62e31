/** One more thread of our own engine. */

import { serveRuns } from './winograd.js'

self.onmessage = ({ data }) => serveRuns(data, () => self.postMessage('ready'))
