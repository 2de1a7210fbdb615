import { formatAmount, formatMoney, type Money } from './amount.ts'
import { type Denial, deny } from './check-denial.ts'
import { openingPart, type Subject, worstValue } from './check-subject.ts'

/** The position if every open order on the order's side is executed, and this one. */
export function checkPosition({ input, exposed, openBeside }: Subject): Denial | undefined {
  const { position, limits, terms } = input
  const moved = openBeside + exposed
  const worst = terms.side === 'buy' ? position.quantity + moved : moved - position.quantity
  if (worst <= limits.positionMax) return undefined
  return deny('POSITION_LIMIT', {
    position: formatAmount(position.quantity),
    worst: formatAmount(terms.side === 'buy' ? worst : -worst),
    max: formatAmount(limits.positionMax),
  })
}

export function checkShort(subject: Subject): Denial | undefined {
  const { terms, account, instrument } = subject.input
  const opening = terms.side === 'sell' ? openingPart(subject, subject.leaves) : 0n
  const fault = !account.isShortAllowed
    ? 'account'
    : instrument?.isShortable === false
      ? 'instrument'
      : undefined
  if (opening === 0n || fault === undefined) return undefined
  return deny('SHORT_NOT_ALLOWED', { short: formatAmount(opening), fault })
}

export function checkFirmExposure(subject: Subject): Denial | undefined {
  const { firm, limits } = subject.input
  return faultOfExposure(subject, { scope: 'firm', gross: firm.gross, max: limits.firmExposureMax })
}

export function checkSectorExposure(subject: Subject): Denial | undefined {
  const { firm, limits } = subject.input
  const { sectorGross: gross } = firm
  return faultOfExposure(subject, { scope: 'sector', gross, max: limits.sectorExposureMax })
}

type Exposure = { readonly scope: string; readonly gross: Money; readonly max: Money | undefined }

/** An order that only reduces lowers the gross exposure, and is never refused for it. */
function faultOfExposure(subject: Subject, { scope, gross, max }: Exposure): Denial | undefined {
  if (max === undefined || subject.isReducing) return undefined
  const notional = worstValue(subject, subject.leaves)
  if (notional === undefined || gross + notional <= max) return undefined
  return deny('FIRM_EXPOSURE_LIMIT', {
    scope,
    gross: formatMoney(gross),
    notional: formatMoney(notional),
    max: formatMoney(max),
  })
}
