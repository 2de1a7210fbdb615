// Preloaded: this process's clock goes ahead by a minute, as that of a machine without NTP may.
const aheadMs = 60_000
const now = Date.now
Date.now = () => now() + aheadMs
